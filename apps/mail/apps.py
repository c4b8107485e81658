"""Registers the room with Django."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "apps.mail"
    label = "mail"
    verbose_name = "Mail"

    def ready(self) -> None:
        """Raises ImproperlyConfigured: better said now than by every mail."""
        from apps.mail import sender

        sender.own_address()
