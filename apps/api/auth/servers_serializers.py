"""What the customers' servers send, and the shapes of the answers, for the schema."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from apps.api.auth.tokens_serializers import UserSerializer
from apps.api.serializers import StrictSerializer


class AnyText(serializers.CharField):
    """Text as it is: whatever is no token is an answer about the token, not an error of the request (RFC 7662, RFC 7009)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, allow_blank=True, **options)
        self.validators = []


class TokenSerializer(StrictSerializer):
    token = AnyText(help_text="an access or refresh token")
    token_type_hint = AnyText(required=False, help_text="`access_token` or `refresh_token`; a token tells by itself")


class IntrospectionSerializer(serializers.Serializer[Any]):
    """Beside `active`, nothing unless it is true."""

    active = serializers.BooleanField()
    token_type = serializers.CharField(required=False, help_text="`Bearer`, of access tokens alone")
    token_use = serializers.ChoiceField(choices=["access", "refresh"], required=False)
    iss = serializers.CharField(required=False)
    aud = serializers.CharField(required=False)
    sub = serializers.UUIDField(required=False, help_text="the user's id")
    customer_id = serializers.UUIDField(required=False)
    sid = serializers.UUIDField(required=False, help_text="the session's id")
    jti = serializers.UUIDField(required=False)
    iat = serializers.IntegerField(required=False, help_text="unix time")
    nbf = serializers.IntegerField(required=False, help_text="unix time")
    exp = serializers.IntegerField(required=False, help_text="unix time")
    auth_time = serializers.IntegerField(
        required=False, help_text="unix time: when the user last proved who it is (RFC 9470)"
    )
    amr = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="how: `pwd`, `otp`, `sms`, `hwk`, `mfa` (RFC 8176)"
    )
    username = serializers.CharField(required=False, help_text="the user's email, as it is now")
    email = serializers.CharField(required=False)
    role = serializers.CharField(required=False, help_text="as it is now")
    permissions = serializers.ListField(child=serializers.CharField(), required=False, help_text="as they are now")
    scope = serializers.CharField(required=False, help_text="the permissions, separated by spaces")
    status = serializers.CharField(required=False, help_text="`active`, or `pending`: not all is done that is demanded")


class RevocationSerializer(serializers.Serializer[Any]):
    """Nothing more is said (RFC 7009)."""


class WhichUserSerializer(StrictSerializer):
    """One of the two."""

    user_id = serializers.UUIDField(required=False)
    email = serializers.CharField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError(_("Give either user_id or email."))
        return attrs


class UserStateSerializer(UserSerializer):
    active = serializers.BooleanField(help_text="whether the status is `active`")
    email_verified = serializers.BooleanField()
    locale = serializers.CharField()


class JwksSerializer(serializers.Serializer[Any]):
    keys = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))


class ConfigurationSerializer(serializers.Serializer[Any]):
    """OpenID Connect Discovery 1.0; RFC 8414."""

    issuer = serializers.CharField(help_text="the tokens' `iss`")
    jwks_uri = serializers.URLField()
    token_endpoint = serializers.URLField()
    token_endpoint_auth_methods_supported = serializers.ListField(child=serializers.CharField())
    introspection_endpoint = serializers.URLField()
    introspection_endpoint_auth_methods_supported = serializers.ListField(child=serializers.CharField())
    revocation_endpoint = serializers.URLField()
    revocation_endpoint_auth_methods_supported = serializers.ListField(child=serializers.CharField())
    grant_types_supported = serializers.ListField(child=serializers.CharField())
    response_types_supported = serializers.ListField(child=serializers.CharField())
    subject_types_supported = serializers.ListField(child=serializers.CharField())
    id_token_signing_alg_values_supported = serializers.ListField(child=serializers.CharField())
    access_token_signing_alg_values_supported = serializers.ListField(child=serializers.CharField())
    claims_supported = serializers.ListField(child=serializers.CharField())
