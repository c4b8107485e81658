"""Tests of files have a storage of their own, which holds nothing at first."""

from pathlib import Path

import pytest
from pytest_django import Settings

from tests.files.keeping import Place


@pytest.fixture
def storage(settings: Settings, tmp_path: Path) -> Path:
    """A folder, in the place of the one that all tests share."""
    folder = tmp_path / "files"
    local = {"BACKEND": "apps.files.local_storage.LocalStorage", "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = {**settings.STORAGES, "files": local}
    return folder


@pytest.fixture
def place(client_for: object, storage: Path) -> Place:
    return Place(client_for, storage)  # type: ignore[arg-type]
