"""What clients may send, and the shapes of answers for the schema."""

from typing import Any

from rest_framework import serializers

from apps.api.serializers import CodeField, NameInputField, StrictSerializer
from apps.factors.passkey_enrolment import LONGEST_NAME


class CodeSerializer(StrictSerializer):
    code = CodeField()


class PhoneSerializer(StrictSerializer):
    phone = serializers.CharField(max_length=32, help_text="with its country's code")


class NewPasskeySerializer(StrictSerializer):
    credential = serializers.DictField(help_text="PublicKeyCredential.toJSON() of navigator.credentials.create()")
    name = NameInputField(max_length=LONGEST_NAME, default="", allow_blank=True)


class PasskeyNameSerializer(StrictSerializer):
    name = NameInputField(max_length=LONGEST_NAME)


class AppAnswerSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="base32; shown this once")
    uri = serializers.CharField(help_text="otpauth://…")
    qr_svg = serializers.CharField(help_text="the URI as a QR code: an SVG element")


class PhoneAnswerSerializer(serializers.Serializer[Any]):
    number = serializers.CharField(help_text="as much of it as is shown")
    expires_in = serializers.IntegerField(help_text="seconds until the code expires")
    resend_in = serializers.IntegerField(help_text="seconds until a further code may be asked for")


class ConfirmedSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    recovery_codes = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="with a first factor; shown this once"
    )


class PasskeySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    backed_up = serializers.BooleanField(help_text="kept by a service that has it on several devices")
    suspected_clone = serializers.BooleanField(help_text="refused: its counter did not go up")


class NewPasskeyAnswerSerializer(PasskeySerializer):
    recovery_codes = serializers.ListField(child=serializers.CharField(), required=False)


class RecoveryCodesSerializer(serializers.Serializer[Any]):
    recovery_codes = serializers.ListField(child=serializers.CharField(), help_text="shown this once")


class FactorSerializer(serializers.Serializer[Any]):
    confirmed_at = serializers.DateTimeField()


class PhoneFactorSerializer(FactorSerializer):
    number = serializers.CharField(help_text="as much of it as is shown")


class OverviewSerializer(serializers.Serializer[Any]):
    policy = serializers.CharField(help_text="optional, required, or both (an SMS code and a passkey)")
    methods = serializers.ListField(child=serializers.CharField(), help_text="in the order in which they are offered")
    totp = FactorSerializer(allow_null=True)
    sms = PhoneFactorSerializer(allow_null=True)
    passkeys = PasskeySerializer(many=True)
    recovery_codes_left = serializers.IntegerField()
