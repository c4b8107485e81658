"""Which customer an address belongs to when no API key says so: owners sign in at the one they made (contract 4, login)."""

from django.db.models import Case, F, Q, Value, When

from apps.api_keys.clients import ApiClient
from apps.customers import state as customers
from apps.customers.state import CustomerState
from apps.users.emails import Address
from apps.users.models import User


def presented_at(customer: CustomerState, *, owners_too: bool) -> Q:
    """Which rows of users (challenges, links) count at this customer: those of its own users, and no others (contract 1.5).

    `owners_too`: without a key a request belongs to the default customer, but owners may sign in at their own (1.4).
    """
    own = Q(customer_id=customer.id)
    return own | Q(user__is_owner=True) if owners_too else own


def customer_of(client: ApiClient, address: Address) -> CustomerState:
    """The key's customer; without a key the one that this address owns, proven addresses first; else the default one.

    Anybody can sign up with any address. That must not lead away a user who can sign in at the default customer already, or
    one who signed up before. Without a key there are two more statements, the same whether or not the address owns a
    customer: a customer that is remembered must not be told by the time it takes.
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
