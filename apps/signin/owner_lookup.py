"""Whose account an address means when no API key says so: owners sign in at the customer they made (contract 4, login)."""

from django.db.models import Case, F, Q, Value, When

from apps.api_keys.clients import ApiClient
from apps.customers import state as customers
from apps.customers.state import CustomerState
from apps.users.emails import Address
from apps.users.models import User


def presented_at(customer: CustomerState, *, owners_too: bool) -> Q:
    """The rows of users whose challenge or link counts at this customer: of its own, and of no other (contract 1.5).

    `owners_too`: without a key a request belongs to the default customer, but owners may sign in at theirs (1.4).
    """
    own = Q(customer_id=customer.id)
    return own | Q(user__is_owner=True) if owners_too else own


def customer_of(client: ApiClient, address: Address) -> CustomerState:
    """The key's customer; without a key the one that this address owns, proven addresses first; else the default one.

    Anybody can sign up with any address: that leads nobody away who can sign in at the default customer already, nor
    whoever signed up before. Without a key two statements more, the same whether or not the address owns anything:
    whether the customer is remembered would tell.
    """
    if client.api_key is not None:
        return client.customer
    is_proven, at_home = Q(email_verified_at__isnull=False), Q(customer_id=client.customer.id)
    precedence = Case(
        When(is_proven & Q(is_owner=True), then=Value(0)),
        When(at_home & (is_proven | Q(password__isnull=False)), then=Value(1)),
        default=Value(2),
    )
    meant = (
        User.objects.filter(Q(is_owner=True) | at_home, email_identity=address.identity)
        .order_by(precedence, "-is_owner", F("email_verified_at").asc(nulls_last=True), "created_at")
        .values_list("customer_id", flat=True)
        .first()
    )
    return customers.read_anew(meant or client.customer.id)
