"""Registers the room with Django."""

from django.apps import AppConfig


class TokensConfig(AppConfig):
    name = "apps.tokens"
    label = "tokens"
    verbose_name = "Tokens and sessions"

    def ready(self) -> None:
        """Models can be imported from here on."""
        from apps.tokens import own_data

        own_data.register()
