"""Wide limits for the demo's customers: all its users come from one address, and no number of journeys may reach a limit."""

from typing import Any

from django.db.models.signals import post_save

from apps.customers import limits
from apps.customers.models import Customer, LimitOverride

COUNT = 100_000


def widen_limits(customer: Customer) -> None:
    """Limits that the customer has changed already stay as they are."""
    for name, limit in limits.DEFAULTS.items():
        LimitOverride.objects.get_or_create(
            customer=customer, name=name, defaults={"count": COUNT, "window": limit.window}
        )


def widen_limits_of_new_customers() -> None:
    """For every customer made in this process: by the journeys, which sign up, or by a visitor in the admin."""
    post_save.connect(_at_creation, sender=Customer, dispatch_uid="demo")


def _at_creation(*, instance: Customer, created: bool, **_: Any) -> None:
    if created:
        widen_limits(instance)
