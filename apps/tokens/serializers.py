"""What clients may send, and the shapes of answers for the schema."""

from typing import Any

from rest_framework import serializers

from apps.mail.content import supported


class RefreshSerializer(serializers.Serializer[Any]):
    refresh_token = serializers.CharField(max_length=8192, required=False, trim_whitespace=False)


class ProfileSerializer(serializers.Serializer[Any]):
    """`PATCH /api/auth/me`: only what is sent changes."""

    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    locale = serializers.CharField(max_length=16, required=False, allow_blank=True)
    phone = serializers.CharField(
        max_length=40, required=False, allow_blank=True, help_text="with its country code; kept as E.164"
    )

    def validate_locale(self, value: str) -> str:
        """A language we have texts for ("de-AT" is kept as it is, and served by "de")."""
        if value and supported(value).partition("-")[0] != value.partition("-")[0].lower():
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

    user = serializers.DictField(required=False)
    sections = serializers.DictField(child=ExportedPageSerializer(), required=False)
    section = serializers.CharField(required=False, help_text="with `?section=`")
    results = serializers.ListField(child=serializers.DictField(), required=False, help_text="with `?section=`")
    next = serializers.CharField(allow_null=True, required=False, help_text="with `?section=`")


class SignedInUserSerializer(UserSerializer):
    is_new = serializers.BooleanField()


class TokensSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField(required=False, help_text="left out with cookie delivery")
    refresh_token = serializers.CharField(required=False, help_text="left out with cookie delivery")
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="seconds")
    payload_key = serializers.CharField(required=False, help_text="with cookie delivery: the PRK, base64url")
    payload_kid = serializers.CharField(required=False, help_text="with cookie delivery: the `kid` of encrypted bodies")
    csrf_token = serializers.CharField(required=False, help_text="with cookie delivery: send it as X-CSRF-Token")


class TokenAnswerSerializer(TokensSerializer):
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
    propagated = serializers.BooleanField(
        required=False, help_text="false: some process may learn of it a little later"
    )


class EndedSessionsSerializer(MessageSerializer):
    ended = serializers.IntegerField()
