"""Registers the room with Django."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "apps.accounts"
    label = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        """Models can be imported from here on."""
        from apps.accounts import forgetting, own_data

        own_data.register()
        forgetting.register()
