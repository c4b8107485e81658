"""Registers the room with Django."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "apps.customers"
    label = "customers"
    verbose_name = "Customers"

    def ready(self) -> None:
        from corsheaders.signals import check_request_enabled

        from apps.customers import origins

        check_request_enabled.connect(origins.may_read, dispatch_uid="customers.origins")
