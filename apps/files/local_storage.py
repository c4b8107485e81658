"""Files in a folder of this machine, or of a network that all its processes share (FILES_ROOT)."""

import os
from pathlib import Path
from typing import IO, Any

from django.core.files.storage import FileSystemStorage


class LocalStorage(FileSystemStorage):
    """Nobody but the service's own user may read what is there; and what is stored survives a loss of power."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700, **options})

    def save(self, name: str | None, content: IO[Any], max_length: int | None = None) -> str:
        stored = super().save(name, content, max_length)
        path = Path(self.path(stored))
        _flush(path)
        _flush(path.parent)
        return stored


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
