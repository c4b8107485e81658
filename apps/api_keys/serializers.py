"""The shapes of answers, for the schema."""

from typing import Any

from rest_framework import serializers


class SandboxMessageSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    to = serializers.CharField()
    kind = serializers.CharField()
    subject = serializers.CharField(allow_null=True)
    text = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class SandboxPageSerializer(serializers.Serializer[Any]):
    results = SandboxMessageSerializer(many=True)
    next = serializers.CharField(allow_null=True)
