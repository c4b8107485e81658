"""What is typed into a search, as conditions that an index answers: exactly, or by how it begins, however many rows there are.

A page names its conditions in `searches`. Each takes the text and returns a condition, or None where the text can be no such value.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Collate, Lower
from django.db.models.lookups import Exact, StartsWith

from apps.api_keys.keys import KEY_ID_LENGTH, PREFIX
from apps.core.domains import NotADomain
from apps.core.errors import ValidationFailed
from apps.core.ids import parse_id
from apps.customers.models import Customer
from apps.users import emails
from apps.users.models import User

Search = Callable[[str], Q | None]
SHORTEST = 2  # of a text: one letter begins half of all addresses
SHORTEST_OF_ID, DIGITS_OF_ID = 8, 32  # hexadecimal
LONGEST = 320
MOST_FOUND = 500  # rows: nobody reads twenty pages, but narrows the search
MOST_OWNERS = 1000  # users with one address at as many customers, or customers whose names begin alike
ID = re.compile(rf"[0-9a-f]{{{SHORTEST_OF_ID},32}}")

KEY_ID = re.compile(rf"(?:{PREFIX}[a-z]+_)?([0-9A-Za-z]{{2,{KEY_ID_LENGTH}}})(?:_.*)?")


def found(queryset: QuerySet[Any], searches: Iterable[Search], text: str) -> QuerySet[Any]:
    """The rows that one of the searches finds: MOST_FOUND of each at most.

    They are found first, and sorted then. Asked for both, PostgreSQL would rather walk through all rows in the list's order
    until it had met enough that fit: through two million sessions, for one.
    """
    text = text.strip()
    if not SHORTEST <= len(text) <= LONGEST or "\x00" in text:
        return queryset.none()
    conditions = [condition for search in searches if (condition := search(text)) is not None]
    ways = [queryset.filter(condition).order_by().values_list("pk", flat=True)[:MOST_FOUND] for condition in conditions]
    return queryset.filter(pk__in=list(ways[0].union(*ways[1:]))) if ways else queryset.none()


def by_id(text: str) -> Q | None:
    """Rows whose id is this, or begins so: a range of the primary key."""
    digits = text.lower().replace("-", "")
    if not ID.fullmatch(digits):
        return None
    if len(digits) == DIGITS_OF_ID:
        return Q(pk=UUID(digits))
    return Q(pk__gte=UUID(digits.ljust(32, "0")), pk__lte=UUID(digits.ljust(32, "f")))


def by_reference(column: str) -> Search:
    """Rows that refer to another by this id, in full."""

    def search(text: str) -> Q | None:
        id_ = parse_id(text)
        return None if id_ is None else Q((column, id_))

    return search


def by_slug(text: str) -> Q | None:
    """Customers whose short name begins so."""
    return Q(slug__startswith=text.lower())


def by_key(text: str) -> Q | None:
    """API keys whose id begins so; also from a whole key that somebody pasted: its secret part is not looked at."""
    form = KEY_ID.fullmatch(text)
    return Q(key_id__startswith=form[1]) if form else None


def by_beginning(column: str) -> Search:
    """Rows whose column begins so, letter by letter."""
    return lambda text: Q((f"{column}__startswith", text))


def by_name(column: str) -> Search:
    """Rows whose name begins so, in small or capital letters. The index is of Collate(Lower(column), "C")."""
    return lambda text: Q(StartsWith(Collate(Lower(F(column)), "C"), text.lower()))


def by_address(text: str) -> Q | None:
    """Users whose address is this one, in whichever spelling, or begins so."""
    return Q(email_identity__startswith=_identity(text))


def by_customer(column: str) -> Search:
    """Rows of the customers whose name begins so."""

    def search(text: str) -> Q:
        customers = Customer.objects.filter(by_name("name")(text)).order_by("-id")
        return Q((f"{column}__in", list(customers.values_list("id", flat=True)[:MOST_OWNERS])))

    return search


def by_recipient(text: str) -> Q | None:
    """Messages to this address: to the users who have it, and those to nobody's."""
    to_users = by_address_of_user("user_id")(text)
    if to_users is None:
        return None
    to_nobody = Q(Exact(Lower(F("recipient")), text.lower()), user_id__isnull=True)
    return to_users | to_nobody


def by_address_of_user(column: str) -> Search:
    """Rows of the users with this address. It has to be whole: how one begins may be how a million begin."""

    def search(text: str) -> Q | None:
        try:
            identity = emails.parse(text).identity
        except ValidationFailed:
            return None
        users = User.objects.filter(email_identity=identity).order_by("-id")
        return Q((f"{column}__in", list(users.values_list("id", flat=True)[:MOST_OWNERS])))

    return search


def _identity(text: str) -> str:
    """How the address is kept, if this is a whole one; else how its beginning would be."""
    try:
        return emails.identity(text) if "@" in text else text.lower()
    except NotADomain:
        return text.lower()
