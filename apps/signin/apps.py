"""Registers the room with Django."""

from django.apps import AppConfig


class SigninConfig(AppConfig):
    name = "apps.signin"
    label = "signin"
    verbose_name = "Sign-in"

    def ready(self) -> None:
        """Models can be imported from here on."""
        from apps.signin import own_data

        own_data.register()
