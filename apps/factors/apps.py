"""Registers the room with Django."""

from django.apps import AppConfig


class FactorsConfig(AppConfig):
    name = "apps.factors"
    label = "factors"
    verbose_name = "Second factors"

    def ready(self) -> None:
        """Models can be imported from here on."""
        from apps.factors import own_data

        own_data.register()
