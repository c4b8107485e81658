"""Registers the room with Django."""

from django.apps import AppConfig


class OtpConfig(AppConfig):
    name = "apps.otp"
    label = "otp"
    verbose_name = "One-time codes"
