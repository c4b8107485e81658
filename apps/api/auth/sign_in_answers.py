"""What every way in answers: tokens, or the challenge for a second factor."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.response import Response

from apps.api.auth import token_answers
from apps.signin.challenges import Challenged
from apps.signin.completion import SignedIn
from apps.signin.second_factor_codes import SentCode


def entered(ended: SignedIn | Challenged) -> Response:
    """The token answer, or what must still be given for it."""
    if isinstance(ended, SignedIn):
        answer = token_answers.signed_in(ended.pair, ended.user, is_new=ended.is_new)
        if ended.enrol:
            answer.data["enrol"] = list(ended.enrol)
        return answer
    body = {
        "requires_2fa": True,
        "session_token": ended.session_token,
        "methods": list(ended.missing.methods),
        "expires_in": ended.expires_in,
    }
    return Response({**body, "enrol": list(ended.missing.enrol)} if ended.missing.enrol else body)


def on_its_way(sent: SentCode) -> dict[str, Any]:
    """The document of an answer to whoever has had a code sent."""
    return {
        "success": True,
        "expires_in": sent.expires_in,
        "resend_in": sent.resend_in,
        "message": _("A code is on its way."),
    }
