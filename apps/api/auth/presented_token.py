"""The token that a customer's server asks about or revokes (RFC 7662 section 2.1, RFC 7009 section 2.1)."""

from typing import Any

from rest_framework import serializers

from apps.api.serializers import StrictSerializer


class AnyText(serializers.CharField):
    """Text as it is. What is no token is answered as a token that is not active, and is no error of the request."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, allow_blank=True, **options)
        self.validators = []


class TokenSerializer(StrictSerializer):
    token = AnyText(help_text="an access or refresh token")
    token_type_hint = AnyText(required=False, help_text="`access_token` or `refresh_token`; a token tells by itself")
