"""Forgetting, resetting and changing a password."""

from rest_framework import serializers

from apps.accounts.reset_links import LONGEST_TOKEN
from apps.api.auth.entering_serializers import LONGEST_EMAIL, LONGEST_PASSWORD
from apps.api.serializers import StrictSerializer


class ForgotPasswordSerializer(StrictSerializer):
    email = serializers.CharField(max_length=LONGEST_EMAIL)


class ResetPasswordSerializer(StrictSerializer):
    token = serializers.CharField(max_length=LONGEST_TOKEN, help_text="from the link in the mail")
    password = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False)


class ChangePasswordSerializer(StrictSerializer):
    current_password = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False)
    password = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False)
