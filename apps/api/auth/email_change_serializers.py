"""Changing the address."""

from typing import Any

from rest_framework import serializers

from apps.accounts.reset_links import LONGEST_TOKEN
from apps.api.auth.entering_serializers import LONGEST_EMAIL, LONGEST_PASSWORD
from apps.api.serializers import CodeField, StrictSerializer


class ChangeEmailSerializer(StrictSerializer):
    email = serializers.CharField(max_length=LONGEST_EMAIL)
    password = serializers.CharField(
        max_length=LONGEST_PASSWORD,
        default="",
        allow_blank=True,
        trim_whitespace=False,
        help_text="the present one; may be left out where the session's proof is fresh",
    )


class ConfirmEmailSerializer(StrictSerializer):
    email = serializers.CharField(max_length=LONGEST_EMAIL)
    otp = CodeField()


class UndoEmailChangeSerializer(StrictSerializer):
    token = serializers.CharField(max_length=LONGEST_TOKEN, help_text="from the link in the mail")


class ChangingEmailSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="seconds until the code expires")
    resend_in = serializers.IntegerField(help_text="seconds until a further code may be asked for")


class EmailChangedSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    email = serializers.CharField()
