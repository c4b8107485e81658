"""Registering, and proving the address."""

from typing import Any

from rest_framework import serializers

from apps.api.auth.entering_serializers import LONGEST_EMAIL, LONGEST_PASSWORD
from apps.api.serializers import CodeField, NameInputField, StrictSerializer


class RegisterSerializer(StrictSerializer):
    email = serializers.CharField(max_length=LONGEST_EMAIL)
    password = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False)
    name = NameInputField(max_length=200, default="", allow_blank=True)
    phone = serializers.CharField(max_length=32, default="", allow_blank=True, help_text="with its country's code")
    locale = serializers.CharField(max_length=16, default="", allow_blank=True)


class VerifyEmailSerializer(StrictSerializer):
    email = serializers.CharField(max_length=LONGEST_EMAIL)
    otp = CodeField()
    password = serializers.CharField(
        max_length=LONGEST_PASSWORD,
        default="",
        allow_blank=True,
        trim_whitespace=False,
        help_text="that was registered: confirms it also where others have registered this address meanwhile",
    )


class RegisteredUserSerializer(serializers.Serializer[Any]):
    email = serializers.CharField()
    name = serializers.CharField()
    status = serializers.CharField()


class RegisteredSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    user = RegisteredUserSerializer()
    expires_in = serializers.IntegerField(help_text="seconds until the code expires")
    resend_in = serializers.IntegerField(help_text="seconds until a further code may be asked for")
    message = serializers.CharField()


class VerifiedSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    user = RegisteredUserSerializer()
    password_set = serializers.BooleanField(
        help_text="whether the password that was registered counts from now on; else set one by `forgot-password`"
    )
    message = serializers.CharField()
