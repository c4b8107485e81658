"""Registers the room with Django."""

from django.apps import AppConfig


class FilesConfig(AppConfig):
    name = "apps.files"
    label = "files"
    verbose_name = "Files"

    def ready(self) -> None:
        from apps.files import checks  # noqa: F401  (registers itself)
