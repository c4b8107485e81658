"""What clients may send, and the shapes of answers for the schema."""

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from apps.api.serializers import NameInputField, StrictSerializer
from apps.core.text_languages import is_known


class RefreshSerializer(StrictSerializer):
    refresh_token = serializers.CharField(max_length=8192, required=False, trim_whitespace=False)


class ProfileSerializer(StrictSerializer):
    """`PATCH /api/auth/me`: only what is sent changes."""

    name = NameInputField(max_length=200, required=False, allow_blank=True)
    locale = serializers.CharField(max_length=16, required=False, allow_blank=True)
    phone = serializers.CharField(
        max_length=40, required=False, allow_blank=True, help_text="with its country code; kept as E.164"
    )

    def validate_locale(self, value: str) -> str:
        """A language we have texts for ("de-AT" is kept as it is, and served by "de")."""
        if value and not is_known(value):
            raise serializers.ValidationError("There are no texts in this language.")
        return value


class UserSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.CharField()
    name = serializers.CharField()
    role = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())
    status = serializers.CharField()
    customer_id = serializers.UUIDField()


class ProfileAnswerSerializer(UserSerializer):
    locale = serializers.CharField()
    phone = serializers.CharField()
    email_verified = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class ExportedPageSerializer(serializers.Serializer[Any]):
    results = serializers.ListField(child=serializers.DictField())
    next = serializers.CharField(allow_null=True)


class ExportSerializer(serializers.Serializer[Any]):
    """Without `section`: the account and how each section begins."""

    user = serializers.DictField()
    sections = serializers.DictField(child=ExportedPageSerializer())


class ExportedSectionSerializer(ExportedPageSerializer):
    """With `?section=`: a page of that one."""

    section = serializers.CharField()


EXPORT_ANSWER = PolymorphicProxySerializer(
    component_name="ExportAnswer",
    serializers=[ExportSerializer, ExportedSectionSerializer],
    resource_type_field_name=None,
)


class SignedInUserSerializer(UserSerializer):
    is_new = serializers.BooleanField()


class IssuedSerializer(serializers.Serializer[Any]):
    token_type = serializers.CharField(help_text="`Bearer`")
    expires_in = serializers.IntegerField(help_text="seconds until the access token expires")


class TokensSerializer(IssuedSerializer):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()


class CookieTokensSerializer(IssuedSerializer):
    """With cookie delivery: the tokens are in the cookies that come with the answer."""

    payload_key = serializers.CharField(help_text="the PRK, base64url")
    payload_kid = serializers.CharField(help_text="the `kid` of encrypted bodies")
    csrf_token = serializers.CharField(help_text="send it as X-CSRF-Token")


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


class SessionSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    device = serializers.CharField()
    address = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    last_activity_at = serializers.DateTimeField()
    current = serializers.BooleanField()


class SessionPageSerializer(serializers.Serializer[Any]):
    results = SessionSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class MessageSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()


class EndedSessionsSerializer(MessageSerializer):
    ended = serializers.IntegerField()
