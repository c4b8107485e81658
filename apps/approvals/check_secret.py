"""The secret by which a customer's outside check and we sign what we send each other."""

import secrets

from django.db import transaction

from apps.audit import actions, events
from apps.core import sealed
from apps.core.context import RequestContext
from apps.customers.models import Customer

SECRET_BYTES = 32


def renew(customer: Customer, *, context: RequestContext) -> str:
    """A fresh secret for signing both ways; shown once. The old one is worthless from now on."""
    text = secrets.token_hex(SECRET_BYTES)
    sealed.write(customer, "identity_check_secret", text.encode())
    with transaction.atomic():
        customer.save(update_fields=["identity_check_secret", "updated_at"])
        events.record(
            action=actions.POLICY_CHANGED,
            customer_id=customer.id,
            context=context,
            details={"fields": ["identity_check"]},
        )
    return text
