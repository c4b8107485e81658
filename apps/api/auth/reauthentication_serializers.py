"""Proving once more who one is."""

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from apps.api.auth.entering_serializers import LONGEST_PASSWORD, SentSerializer
from apps.api.auth.webauthn_serializers import REQUEST_OPTIONS
from apps.api.serializers import CodeField, StrictSerializer
from apps.factors import methods
from apps.signin import reauthentication_methods

CARRIED_AS = {
    methods.PASSKEY: "credential",
    reauthentication_methods.PASSWORD: "password",
}  # by every other method: `code`


class ReauthenticateSerializer(StrictSerializer):
    method = serializers.ChoiceField(choices=reauthentication_methods.METHODS)
    code = CodeField(default="", allow_blank=True)
    password = serializers.CharField(
        max_length=LONGEST_PASSWORD, default="", allow_blank=True, trim_whitespace=False, help_text="for `password`"
    )
    credential = serializers.DictField(default=None, help_text="for `passkey`")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        wanted = CARRIED_AS.get(attrs["method"], "code")
        if not attrs[wanted]:
            raise serializers.ValidationError({wanted: [self.error_messages["required"]]})
        return attrs


class ReauthenticateSendSerializer(StrictSerializer):
    method = serializers.ChoiceField(choices=reauthentication_methods.SENT)


class ProofSerializer(serializers.Serializer[Any]):
    methods = serializers.ListField(
        child=serializers.CharField(), help_text="in the order in which to offer them; empty: sign in again"
    )
    auth_time = serializers.IntegerField(help_text="unix time: when the token's session last proved who it is")
    max_age = serializers.IntegerField(help_text="seconds: how old that may be for what needs a fresh proof")
    fresh = serializers.BooleanField()


REAUTHENTICATE_SEND_ANSWER = PolymorphicProxySerializer(
    component_name="ReauthenticateSendAnswer",
    serializers=[SentSerializer, REQUEST_OPTIONS],
    resource_type_field_name=None,
)
