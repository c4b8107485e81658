"""Emergency rotation of a customer's secrets: the old ones stop verifying at once, and every session ends (contract 3.7)."""

from datetime import datetime

from django.db import transaction

from apps.core.requests import Caller
from apps.customers import keyring
from apps.customers.models import Customer
from apps.tokens import sessions


def rotate_in_emergency(customer: Customer, *, actor: str, caller: Caller | None, now: datetime) -> int:
    """Returns how many sessions ended. The customer's new secrets alone make every old token worthless at once."""
    with transaction.atomic():
        keyring.rotate_in_emergency(customer, now=now, actor=actor, caller=caller)
        return sessions.end_all_of_customer(customer_id=customer.id, now=now)
