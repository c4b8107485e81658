"""Registers the demo with Django, for its command `seed_demo`. Installed by the development settings alone."""

import os

from django.apps import AppConfig

RUNNING = "GATEHOUSE_DEMO"  # set in the processes that `make demo` starts


class DemoConfig(AppConfig):
    name = "demo"
    verbose_name = "Demo"

    def ready(self) -> None:
        if RUNNING in os.environ:
            from demo import generosity  # models can be imported only now

            generosity.widen_limits_of_new_customers()
