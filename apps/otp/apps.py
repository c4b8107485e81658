"""Registers the room with Django."""

from django.apps import AppConfig


class OtpConfig(AppConfig):
    name = "apps.otp"
    label = "otp"
    verbose_name = "One-time codes"

    def ready(self) -> None:
        """Models can be imported from here on."""
        from apps.otp import forgetting

        forgetting.register()
