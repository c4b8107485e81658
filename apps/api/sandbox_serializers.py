"""The shapes of answers, for the schema."""

from typing import Any

from rest_framework import serializers


class SandboxMessageSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    channel = serializers.CharField(help_text="email or sms")
    to = serializers.CharField(help_text="of an SMS as much of the number as is shown")
    kind = serializers.CharField()
    subject = serializers.CharField(allow_null=True)
    text = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class SandboxPageSerializer(serializers.Serializer[Any]):
    results = SandboxMessageSerializer(many=True)
    next = serializers.CharField(allow_null=True)
