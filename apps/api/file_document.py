"""A file as clients see it."""

from typing import Any

from rest_framework import serializers

from apps.core.times import rfc3339, rfc3339_or_none
from apps.files.models import UserFile


class FileSerializer(serializers.Serializer[Any]):
    """Without content yet, `uploaded_at` is null, and `expires_at` says until when the content must come."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    purpose = serializers.CharField()
    size = serializers.IntegerField()
    media_type = serializers.CharField(allow_null=True, help_text="what the content is, by its first bytes")
    sha256 = serializers.CharField(allow_null=True, help_text="of the content, in hexadecimal digits")
    created_at = serializers.DateTimeField()
    uploaded_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)


def describe_file(file: UserFile) -> dict[str, Any]:
    return {
        "id": str(file.id),
        "name": file.name,
        "purpose": file.purpose,
        "size": file.size,
        "media_type": file.media_type or None,
        "sha256": file.sha256 or None,
        "created_at": rfc3339(file.created_at),
        "uploaded_at": rfc3339_or_none(file.uploaded_at),
        "expires_at": rfc3339_or_none(file.expires_at),
    }
