"""Registers the room with Django."""

from django.apps import AppConfig


class PayloadsConfig(AppConfig):
    name = "apps.payloads"
    label = "payloads"
    verbose_name = "Payload encryption"
