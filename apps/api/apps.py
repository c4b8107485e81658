"""Registers the room with Django."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "apps.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        """Models can be imported from here on."""
        from corsheaders.signals import check_request_enabled

        from apps.api import cors

        check_request_enabled.connect(cors.may_read, dispatch_uid="api.cors")
