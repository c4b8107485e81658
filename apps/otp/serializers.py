"""What clients may send, and the shapes of answers for the schema."""

from typing import Any

from rest_framework import serializers

from apps.tokens.models import Delivery

LOGIN = "login"
PURPOSES = (LOGIN,)


class RequestOtpSerializer(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=320)
    purpose = serializers.ChoiceField(choices=PURPOSES, default=LOGIN)
    locale = serializers.CharField(max_length=35, default="", allow_blank=True)


class VerifyOtpSerializer(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=320)
    otp = serializers.CharField(max_length=32)
    purpose = serializers.ChoiceField(choices=PURPOSES, default=LOGIN)
    delivery = serializers.ChoiceField(choices=Delivery.choices, default=Delivery.BODY)


class RequestedSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    expires_in = serializers.IntegerField(help_text="seconds until the code expires")
    resend_in = serializers.IntegerField(help_text="seconds until a further code may be asked for")
    message = serializers.CharField()
