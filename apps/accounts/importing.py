"""Users from another system, with the hashes of their passwords, which are upgraded at the next sign-in."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts import imported_hashes
from apps.audit import actions, events
from apps.core import names
from apps.core.context import RequestContext
from apps.core.errors import ValidationFailed
from apps.core.ids import new_id
from apps.customers.models import Customer
from apps.customers.validation import LANGUAGE_TAG
from apps.signin.models import Password
from apps.users import emails
from apps.users.emails import Address
from apps.users.models import BuiltInRole, User, UserStatus

FIELDS = {"email", "password_hash", "name", "role", "locale", "email_verified"}


class BadLine(Exception):
    """A line that is no user. Says why."""


@dataclass(frozen=True)
class ImportedUser:
    """One line of the file."""

    address: Address
    encoded: str = field(repr=False)
    name: str
    role: str
    locale: str
    email_verified: bool


def parse(line: str) -> ImportedUser:
    """The user in a line of JSON. Raises BadLine."""
    fields = _fields(line)
    try:
        address = emails.parse(_text(fields, "email"))
    except ValidationFailed:
        raise BadLine("email is not an address") from None
    verified = fields.get("email_verified", False)
    if not isinstance(verified, bool):
        raise BadLine("email_verified must be true or false")
    return ImportedUser(
        address=address,
        encoded=_encoded(fields),
        name=_name(fields),
        role=_text(fields, "role", longest=64) or BuiltInRole.COMPANY_USER,
        locale=_locale(fields),
        email_verified=verified,
    )


def require_role(user: ImportedUser, known: Collection[str]) -> None:
    """Raises BadLine for a role that the customer does not know."""
    if user.role not in known:
        raise BadLine(f"role {user.role!r} is not known to the customer; there are {', '.join(known)}")


def keep(customer: Customer, users: list[ImportedUser], *, now: datetime) -> int:
    """Insert those that are not there yet, all or none of them. Returns how many."""
    rows = {user.address.identity: _row(customer, user, now) for user in users}
    with transaction.atomic():
        there = set(
            User.objects.of(customer.id).filter(email_identity__in=rows).values_list("email_identity", flat=True)
        )
        fresh = [row for identity, row in rows.items() if identity not in there]
        User.objects.bulk_create(fresh)
        encoded = {user.address.identity: user.encoded for user in users}
        Password.objects.bulk_create(
            [
                Password(user=row, encoded=encoded[row.email_identity], is_imported=True, set_at=now)
                for row in fresh
                if encoded[row.email_identity]
            ]
        )
        events.record(
            action=actions.USERS_IMPORTED,
            customer_id=customer.id,
            context=RequestContext.system(now=now),
            details={"count": len(fresh)},
        )
    return len(fresh)


def _fields(line: str) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except ValueError:
        raise BadLine("this is not JSON") from None
    if not isinstance(fields, dict):
        raise BadLine("this is not a JSON object")
    if unknown := sorted(fields.keys() - FIELDS):
        raise BadLine(f"unknown field {', '.join(unknown)}; there are {', '.join(sorted(FIELDS))}")
    return fields


def _text(fields: dict[str, Any], name: str, *, longest: int = imported_hashes.LONGEST) -> str:
    value = fields.get(name) or ""
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        raise BadLine(f"{name} must be a text of at most {longest} characters")
    return value


def _locale(fields: dict[str, Any]) -> str:
    text = _text(fields, "locale", longest=16)
    if text and not LANGUAGE_TAG.fullmatch(text):
        raise BadLine("locale must be a language tag such as en or de-AT")
    return text


def _name(fields: dict[str, Any]) -> str:
    name = names.tidy(_text(fields, "name", longest=200))
    try:
        names.validate(name)
    except ValidationError as error:
        raise BadLine(f"name: {' '.join(error.messages)}") from None
    return name


def _encoded(fields: dict[str, Any]) -> str:
    """The hash as Django's hashers write it. Empty if the line has none. Raises BadLine."""
    text = _text(fields, "password_hash")
    encoded = imported_hashes.as_django_writes_it(text) if text else ""
    if encoded is None:
        raise BadLine(
            "password_hash is neither argon2, bcrypt nor PBKDF2 (as Django writes it), or costs too much to check"
        )
    return encoded


def _row(customer: Customer, user: ImportedUser, now: datetime) -> User:
    return User(
        id=new_id(),
        customer=customer,
        email=user.address.typed,
        email_identity=user.address.identity,
        email_verified_at=now if user.email_verified else None,
        name=user.name,
        role=user.role,
        locale=user.locale,
        status=UserStatus.ACTIVE,
        created_at=now,
    )
