"""What every way to sign in answers: tokens, or a challenge for the second factor."""

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers
from rest_framework.response import Response

from apps.api.auth import token_answer
from apps.api.auth.token_answer import CookieTokenAnswerSerializer, TokenAnswerSerializer
from apps.signin.challenges import Challenged
from apps.signin.completion import SignedIn


class ChallengeAnswerSerializer(serializers.Serializer[Any]):
    requires_2fa = serializers.BooleanField()
    session_token = serializers.CharField()
    methods = serializers.ListField(child=serializers.CharField(), help_text="in the order in which to offer them")
    enrol = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="what may be enrolled on the way in, where a second factor is demanded that the user lacks",
    )
    expires_in = serializers.IntegerField(help_text="seconds")


SIGN_IN_ANSWER = PolymorphicProxySerializer(
    component_name="SignInAnswer",
    serializers=[TokenAnswerSerializer, CookieTokenAnswerSerializer, ChallengeAnswerSerializer],
    resource_type_field_name=None,
)


def sign_in_answer(ended: SignedIn | Challenged) -> Response:
    """The token answer, or the challenge that says what is still missing for it."""
    if isinstance(ended, SignedIn):
        return token_answer.deliver(ended.pair, _more(ended))
    return Response(_challenge(ended))


def is_all_in_body(ended: SignedIn | Challenged) -> bool:
    """Whether the answer needs no cookies."""
    return isinstance(ended, Challenged) or token_answer.is_in_body(ended.pair)


def body_of(ended: SignedIn | Challenged) -> dict[str, Any]:
    """The body of an answer that needs no cookies."""
    if isinstance(ended, SignedIn):
        return {**token_answer.document(ended.pair), **_more(ended)}
    return _challenge(ended)


def _more(ended: SignedIn) -> dict[str, Any]:
    """What it says beside the tokens."""
    user = token_answer.signed_in_user(ended.pair, ended.user, is_new=ended.is_new)
    return {"user": user, **({"enrol": list(ended.enrol)} if ended.enrol else {})}


def _challenge(ended: Challenged) -> dict[str, Any]:
    body = {
        "requires_2fa": True,
        "session_token": ended.session_token,
        "methods": list(ended.missing.methods),
        "expires_in": ended.expires_in,
    }
    return {**body, "enrol": list(ended.missing.enrol)} if ended.missing.enrol else body
