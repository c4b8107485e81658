"""What a proxy demands of a user, beside a token that counts. What is unknown or malformed is refused, never ignored."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import parse_qsl
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from apps.api.authentication.principal import Principal
from apps.core.errors import PermissionDenied, ValidationFailed
from apps.core.ids import parse_id
from apps.customers.models import DEFAULT_CUSTOMER_ID, SLUG
from apps.customers.state import CustomerState
from apps.tokens.errors import InsufficientUserAuthentication, InvalidToken
from apps.users.models import PERMISSION_NAME, ROLE_NAME
from apps.users.state import UserState

MOST = 20  # in one address
ANY_CUSTOMER = "*"
# As the models check them, with `*` for a customer.
CUSTOMER = re.compile(rf"\*|{SLUG}")
PERMISSION = re.compile(rf"(?=.{{1,64}}\Z){PERMISSION_NAME}")
ROLE = re.compile(ROLE_NAME)
SECONDS = re.compile(r"[0-9]{1,9}")
FORMS = {"customer": CUSTOMER, "permission": PERMISSION, "role": ROLE, "max_age": SECONDS}
REPEATABLE = "permission"

UNKNOWN = _("This cannot be demanded.")
MALFORMED = _("This is not a value that can be demanded.")
REPEATED = _("This can be demanded once.")


@dataclass(frozen=True, slots=True)
class Demands:
    """`customer`: a slug or an id; the default customer if nobody is named, and `*` for every customer. Parsed once.

    `permissions`: all of them. `max_age`: seconds since the user has last proven who they are (RFC 9470).
    """

    customer: str
    customer_id: UUID | None
    permissions: frozenset[str]
    role: str | None
    max_age: int | None

    def require(self, who: Principal, now: datetime) -> None:
        """Raises InvalidToken (of another customer), PermissionDenied or InsufficientUserAuthentication."""
        if not self.admits_users_of(who.customer):
            raise InvalidToken
        if not self.are_met_by(who.user):
            raise PermissionDenied
        if self.max_age is not None and not who.proof.is_fresh(max_age=self.max_age, now=now):
            raise InsufficientUserAuthentication(max_age=self.max_age)

    def admits_users_of(self, customer: CustomerState) -> bool:
        """A name in the form of an id is an id alone: another customer's slug may look like one."""
        if self.customer == ANY_CUSTOMER:
            return True
        return self.customer_id == customer.id if self.customer_id else self.customer == customer.slug

    def are_met_by(self, user: UserState) -> bool:
        """Role and permissions count once the user is active."""
        if self.role is None and not self.permissions:
            return True
        has_role = self.role is None or self.role == user.role
        return user.is_active and has_role and self.permissions.issubset(user.permissions)


@lru_cache(maxsize=1024)
def parse(text: str) -> Demands:
    """Demands as an address writes them: `customer=acme&permission=invoices.read`. Raises ValidationFailed."""
    found: dict[str, list[str]] = {}
    for name, value in _pairs(text):
        found.setdefault(name, []).append(value)
    if faults := {name: [str(why)] for name, values in found.items() if (why := _fault(name, values))}:
        raise ValidationFailed(fields=faults)
    customer = found.get("customer", [str(DEFAULT_CUSTOMER_ID)])[0]
    return Demands(
        customer=customer,
        customer_id=parse_id(customer),
        permissions=frozenset(found.get("permission", ())),
        role=found.get("role", [None])[0],
        max_age=int(found["max_age"][0]) if "max_age" in found else None,
    )


def _pairs(text: str) -> list[tuple[str, str]]:
    """Raises ValidationFailed."""
    try:
        return parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=MOST)
    except ValueError as error:
        raise ValidationFailed from error


def _fault(name: str, values: list[str]) -> object:
    """What is wrong with the values of this name, if anything."""
    form = FORMS.get(name)
    if form is None:
        return UNKNOWN
    if len(values) > 1 and name != REPEATABLE:
        return REPEATED
    return None if all(map(form.fullmatch, values)) else MALFORMED
