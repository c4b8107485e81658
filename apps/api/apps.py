"""Registers the room with Django."""

import sys
from importlib import import_module
from types import ModuleType
from typing import cast

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


def _let_drf_do_without_requests() -> None:
    """DRF imports it for a client that tests may use: 4.4 MiB of every process. It takes the library for missing, nobody else does."""
    if "requests" in sys.modules:
        return
    sys.modules["requests"] = cast("ModuleType", None)  # so Python marks what must not be imported
    try:
        import_module("rest_framework.compat")
    finally:
        del sys.modules["requests"]


_let_drf_do_without_requests()  # here, because the models of other apps import DRF before any `ready`
