"""The secret by which a customer's outside check and we sign what we send each other."""

import secrets
from datetime import datetime

from django.db import transaction

from apps.audit import actions, events
from apps.core import sealed
from apps.core.requests import Caller
from apps.customers.models import Customer

SECRET_BYTES = 32


def renew(customer: Customer, *, actor: str, caller: Caller | None, now: datetime) -> str:
    """A fresh secret for signing both ways; shown once. The old one is worthless from now on."""
    text = secrets.token_hex(SECRET_BYTES)
    sealed.write(customer, "identity_check_secret", text.encode())
    with transaction.atomic():
        customer.save(update_fields=["identity_check_secret", "updated_at"])
        events.record(
            action=actions.POLICY_CHANGED,
            customer_id=customer.id,
            actor=actor,
            caller=caller,
            details={"fields": ["identity_check"]},
            now=now,
        )
    return text
