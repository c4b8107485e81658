"""What is answered when a method is chosen for a second factor or a fresh proof: a code was sent, or a passkey's options."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.response import Response

from apps.signin.second_factor_codes import SentCode


class SentSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    expires_in = serializers.IntegerField(help_text="seconds until the code expires")
    resend_in = serializers.IntegerField(help_text="seconds until a further code may be asked for")
    message = serializers.CharField()


def sent_answer(sent: SentCode | Mapping[str, Any]) -> Response:
    """A code is on its way; or, for a passkey, what `navigator.credentials.get()` needs."""
    if not isinstance(sent, SentCode):
        return Response(sent)
    body = {
        "success": True,
        "expires_in": sent.expires_in,
        "resend_in": sent.resend_in,
        "message": _("A code is on its way."),
    }
    return Response(body)
