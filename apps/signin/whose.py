"""Whose account an address means when no API key says so: owners sign in at the customer they made (contract 4, login)."""

from django.db.models import F

from apps.api_keys.asking import Asking
from apps.customers import standing as customers
from apps.customers.standing import CustomerStanding
from apps.users.emails import Address
from apps.users.models import User


def customer_of(asking: Asking, address: Address) -> CustomerStanding:
    """The key's customer; without a key the one that this address owns, proven addresses first; else the default one.

    One statement and one round trip more without a key, whether or not the address owns anything.
    """
    if asking.api_key is not None:
        return asking.customer
    owned = (
        User.objects.filter(email_identity=address.identity, is_owner=True)
        .order_by(F("email_verified_at").asc(nulls_last=True), "-created_at")
        .values_list("customer_id", flat=True)
        .first()
    )
    return customers.read(owned or asking.customer.id)
