"""Registers the room with Django."""

from django.apps import AppConfig


class OperatorsConfig(AppConfig):
    name = "apps.operators"
    label = "operators"
    verbose_name = "Operators"

    def ready(self) -> None:
        from apps.operators import last_administrator, sign_in_events

        sign_in_events.connect()
        last_administrator.connect()
