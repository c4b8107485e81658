"""What clients may send, and the shapes of answers for the schema."""

from typing import Any

from rest_framework import serializers

from apps.api.serializers import StrictSerializer
from apps.otp.purposes import LOGIN, MAILS


class RequestOtpSerializer(StrictSerializer):
    email = serializers.CharField(max_length=320)
    purpose = serializers.ChoiceField(choices=list(MAILS), default=LOGIN)
    locale = serializers.CharField(max_length=35, default="", allow_blank=True)


class RequestedSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    expires_in = serializers.IntegerField(help_text="seconds until the code expires")
    resend_in = serializers.IntegerField(help_text="seconds until a further code may be asked for")
    message = serializers.CharField()
