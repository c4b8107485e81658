"""Tokens for a client (contract 4): in the body, or in cookies."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers
from rest_framework.response import Response

from apps.api.authentication import cookies
from apps.api.user_document import UserSerializer, describe_user
from apps.core import base64url
from apps.tokens.minting import TokenPair
from apps.tokens.models import Delivery
from apps.users.models import User


class SignedInUserSerializer(UserSerializer):
    is_new = serializers.BooleanField()


class IssuedSerializer(serializers.Serializer[Any]):
    token_type = serializers.CharField(help_text="`Bearer`")
    expires_in = serializers.IntegerField(help_text="seconds until the access token expires")


class TokensSerializer(IssuedSerializer):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()


class PageSerializer(serializers.Serializer[Any]):
    """What a page needs that cannot read its tokens."""

    payload_key = serializers.CharField(help_text="the PRK of the session, base64url")
    payload_kid = serializers.CharField(help_text="the `kid` of encrypted bodies: the id of the session")
    csrf_token = serializers.CharField(help_text="send it as X-CSRF-Token")


class CookieTokensSerializer(PageSerializer, IssuedSerializer):
    """With cookie delivery: the tokens are in the cookies that come with the answer."""


REFRESH_ANSWER = PolymorphicProxySerializer(
    component_name="RefreshAnswer",
    serializers=[TokensSerializer, CookieTokensSerializer],
    resource_type_field_name=None,
)


class TokenAnswerSerializer(TokensSerializer):
    user = SignedInUserSerializer()


class CookieTokenAnswerSerializer(CookieTokensSerializer):
    """With cookie delivery: the tokens are in the cookies that come with the answer."""

    user = SignedInUserSerializer()


def signed_in(pair: TokenPair, user: User, *, is_new: bool) -> Response:
    """The answer to a successful sign-in."""
    return deliver(pair, {"user": signed_in_user(pair, user, is_new=is_new)})


def signed_in_user(pair: TokenPair, user: User, *, is_new: bool) -> dict[str, Any]:
    """The user's permissions are those of the token."""
    return {**describe_user(user, pair.permissions), "is_new": is_new}


def refreshed(pair: TokenPair) -> Response:
    """The answer to a refresh."""
    return deliver(pair, {})


def is_in_body(pair: TokenPair) -> bool:
    """Whether the answer's body has the tokens, and no cookie."""
    return pair.delivery != Delivery.COOKIE


def document(pair: TokenPair) -> dict[str, Any]:
    """The body of an answer that has the tokens in it."""
    return {"access_token": pair.access, "refresh_token": pair.refresh, **_issued(pair)}


def deliver(pair: TokenPair, more: dict[str, Any]) -> Response:
    """The answer that has these tokens, and what it says beside them."""
    if is_in_body(pair):
        return Response({**document(pair), **more})
    response = Response({**_issued(pair), **more, **for_page(pair.session_id, pair.payload_key)})
    cookies.set_tokens(response, pair)
    return response


def _issued(pair: TokenPair) -> dict[str, Any]:
    return {"token_type": "Bearer", "expires_in": pair.expires_in}


def for_page(session_id: UUID, payload_key: bytes) -> dict[str, str]:
    """What a page needs that cannot read its tokens. The same as long as the session lives."""
    return {
        "payload_key": base64url.encode(payload_key),
        "payload_kid": str(session_id),
        "csrf_token": cookies.csrf_token(session_id),
    }
