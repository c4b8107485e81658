"""Finding and making the users of one customer."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from apps.core.errors import NotFound
from apps.users.emails import Address
from apps.users.models import BuiltInRole, User, UserStatus


@dataclass(frozen=True)
class Found:
    """A user, and whether it was made just now."""

    user: User
    is_new: bool


def find(customer_id: UUID, identity: str) -> User | None:
    """The customer's user of this address (as addresses are compared), or None."""
    return User.objects.of(customer_id).filter(email_identity=identity).first()


def get(customer_id: UUID, user_id: UUID) -> User:
    """The customer's user of this id. Raises NotFound."""
    user = User.objects.of(customer_id).filter(id=user_id).first()
    if user is None:
        raise NotFound
    return user


def find_or_create(customer_id: UUID, address: Address, *, may_create: bool, now: datetime) -> Found | None:
    """The customer's user of this proven address, made if there is none and it may be. Of two at once, one is made."""
    user = find(customer_id, address.identity)
    if user is not None:
        return Found(user, is_new=False)
    if not may_create:
        return None
    try:
        with transaction.atomic():
            return Found(create(customer_id, address, verified_at=now, now=now), is_new=True)
    except IntegrityError:
        user = find(customer_id, address.identity)
        return Found(user, is_new=False) if user else None


def create(
    customer_id: UUID,
    address: Address,
    *,
    role: str = BuiltInRole.COMPANY_USER,
    verified_at: datetime | None = None,
    now: datetime,
) -> User:
    """A new active user. Raises IntegrityError when the address is taken."""
    return User.objects.create(
        customer_id=customer_id,
        email=address.typed,
        email_identity=address.identity,
        role=role,
        status=UserStatus.ACTIVE,
        email_verified_at=verified_at,
        created_at=now,
    )


def count_wrong_code(customer_id: UUID, identity: str) -> None:
    """One more wrong code in a row. The same statement whether or not there is such a user."""
    User.objects.of(customer_id).filter(email_identity=identity).update(wrong_codes=F("wrong_codes") + 1)


def note_sign_in(user: User, *, now: datetime) -> None:
    """The user has signed in, with every factor that was asked for: the row of wrong codes is broken."""
    user.last_sign_in_at = now
    user.wrong_codes = 0
    user.save(update_fields=["last_sign_in_at", "wrong_codes"])
