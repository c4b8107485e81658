"""Signing up."""

from typing import Any

from rest_framework import serializers

from apps.api.auth.entering_serializers import LONGEST_EMAIL, LONGEST_PASSWORD
from apps.api.auth.tokens_serializers import TokenAnswerSerializer
from apps.api.serializers import NameInputField, StrictSerializer


class SignUpSerializer(StrictSerializer):
    email = serializers.CharField(max_length=LONGEST_EMAIL)
    password = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False)
    organization = NameInputField(max_length=200, default="", allow_blank=True)


class CustomerSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()


class SignedUpSerializer(TokenAnswerSerializer):
    customer = CustomerSerializer()
    api_key = serializers.CharField(help_text="shown this once")
    api_key_id = serializers.CharField()
