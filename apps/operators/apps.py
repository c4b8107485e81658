"""Registers the room with Django."""

from django.apps import AppConfig


class OperatorsConfig(AppConfig):
    name = "apps.operators"
    label = "operators"
    verbose_name = "Operators"

    def ready(self) -> None:
        from apps.operators import administrators, trail

        trail.connect()
        administrators.connect()
