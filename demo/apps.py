"""Registers the demo with Django, for its command `seed_demo`. Installed by the development settings alone."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "demo"
    verbose_name = "Demo"
