"""Forgetting, resetting and changing a password."""

from typing import Any

from rest_framework import serializers

from apps.signin.recovery import LONGEST_TOKEN
from apps.signin.serializers.entering import LONGEST_EMAIL, LONGEST_PASSWORD


class ForgotPasswordSerializer(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=LONGEST_EMAIL)


class ResetPasswordSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=LONGEST_TOKEN, help_text="from the link in the mail")
    password = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False)


class ChangePasswordSerializer(serializers.Serializer[Any]):
    current_password = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False)
    password = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False)
