"""Emergency rotation of a customer's secrets: the old ones stop verifying at once, and every session ends (contract 3.7)."""

from django.db import transaction

from apps.core.context import RequestContext
from apps.customers import keyring
from apps.customers.models import Customer
from apps.tokens import sessions


def rotate_in_emergency(customer: Customer, *, context: RequestContext) -> int:
    """Returns how many sessions ended. The customer's new secrets alone make every old token worthless at once."""
    with transaction.atomic():
        keyring.rotate_in_emergency(customer, context=context)
        return sessions.end_all_of_customer(customer_id=customer.id, now=context.now)
