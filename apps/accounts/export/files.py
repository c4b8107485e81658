"""Files, and where their contents are to be had. No key is in it."""

from typing import Any

from apps.core.times import rfc3339_or_none
from apps.files.models import UserFile


def file(row: UserFile) -> dict[str, Any]:
    """The content travels as a stream, at `content` (contract 2.3)."""
    return {
        "id": str(row.id),
        "name": row.name,
        "purpose": row.purpose,
        "size": row.size,
        "media_type": row.media_type,
        "sha256": row.sha256,
        "created_at": rfc3339_or_none(row.created_at),
        "uploaded_at": rfc3339_or_none(row.uploaded_at),
        "opened_at": rfc3339_or_none(row.opened_at),
        "content": f"/api/files/{row.id}/content" if row.is_uploaded else None,
    }
