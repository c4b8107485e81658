"""Finding and making the users of one customer."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Func, TextField

from apps.core.errors import NotFound
from apps.core.lookups import RowLookup
from apps.users.emails import Address
from apps.users.models import BuiltInRole, User, UserStatus

_BY_ADDRESS: RowLookup[tuple[UUID, str], User] = RowLookup(
    lambda key: User.objects.of(key[0]).filter(email_identity=key[1])
)
_LOCKED: RowLookup[UUID, User] = RowLookup(
    lambda user_id: User.objects.select_for_update(no_key=True).filter(id=user_id)
)
_LOCKED_BY_ADDRESS: RowLookup[tuple[UUID, str], User] = RowLookup(
    lambda key: User.objects.of(key[0]).filter(email_identity=key[1]).select_for_update(no_key=True, of=("self",))
)
# For statements that begin a session. The user has signed in with every factor that was asked for: wrong codes are counted from 0.
SIGNED_IN = "last_sign_in_at = %(now)s, wrong_codes = 0, wrong_second_factors = 0"
UNCHANGED = "wrong_codes = account.wrong_codes"  # a new version of the row, with nothing new in it
ROW_VERSION = "users_user.xmin::text"
NONE_WRONG = {"wrong_codes": 0, "wrong_second_factors": 0}


class RowVersion(Func):
    """Another text after each change of the user's row (PostgreSQL's `xmin`).

    A sign-in that reads the user without a lock compares it when it writes: then nothing has happened in between. So all that could
    count for a sign-in writes the row, if only as it was: new sessions, and `mark_changed`.
    """

    template = ROW_VERSION
    arity = 0
    output_field = TextField()


@dataclass(frozen=True)
class FoundUser:
    """A user, and whether it has just been made."""

    user: User
    is_new: bool


def find(customer_id: UUID, identity: str) -> User | None:
    """The customer's user of this address (as addresses are compared), or None."""
    return _BY_ADDRESS.first((customer_id, identity))


def get(customer_id: UUID, user_id: UUID) -> User:
    """The customer's user of this id. Raises NotFound."""
    user = User.objects.of(customer_id).filter(id=user_id).first()
    if user is None:
        raise NotFound
    return user


def lock(user_id: UUID) -> User | None:
    """The user as it is now, locked until the transaction ends; None if it is gone.

    Flows that change anything of a user's lock the user first. So all take their locks in one order, and none can deadlock.
    """
    return _LOCKED.first(user_id)


def find_locked(customer_id: UUID, identity: str) -> User | None:
    """The user of this address as it is now, locked as `lock` does it, in one statement."""
    return _LOCKED_BY_ADDRESS.first((customer_id, identity))


def hold(user_id: UUID) -> User:
    """The same as `lock`, for flows of a signed-in user. Raises NotFound if the user was erased a moment ago."""
    user = lock(user_id)
    if user is None:
        raise NotFound
    return user


def find_or_create(
    customer_id: UUID, address: Address, *, may_create: bool, locale: str = "", now: datetime
) -> FoundUser | None:
    """The customer's user of this proven address, made if there is none and `may_create`. Two calls at once make one.

    Locked, for the caller's transaction.
    """
    user = find_locked(customer_id, address.identity)
    if user is not None:
        return FoundUser(user, is_new=False)
    if not may_create:
        return None
    try:
        with transaction.atomic():
            return FoundUser(create(customer_id, address, locale=locale, verified_at=now, now=now), is_new=True)
    except IntegrityError:
        user = find_locked(customer_id, address.identity)
        return FoundUser(user, is_new=False) if user else None


def create(
    customer_id: UUID,
    address: Address,
    *,
    role: str = BuiltInRole.COMPANY_USER,
    locale: str = "",
    verified_at: datetime | None = None,
    now: datetime,
) -> User:
    """A new active user. Raises IntegrityError when the address is taken."""
    return User.objects.create(
        customer_id=customer_id,
        email=address.typed,
        email_identity=address.identity,
        role=role,
        locale=locale,
        status=UserStatus.ACTIVE,
        email_verified_at=verified_at,
        created_at=now,
    )


def count_wrong_code(customer_id: UUID, identity: str) -> None:
    """One more wrong code in a row. The same statement whether or not there is such a user."""
    User.objects.of(customer_id).filter(email_identity=identity).update(wrong_codes=F("wrong_codes") + 1)


def count_wrong_second_factor(customer_id: UUID, identity: str) -> None:
    """One more wrong code in a row after a right first factor."""
    User.objects.of(customer_id).filter(email_identity=identity).update(
        wrong_second_factors=F("wrong_second_factors") + 1
    )


def mark_changed(user_id: UUID) -> None:
    """Something that hangs on the user has changed, and counts for a sign-in: the row has another version from now on."""
    User.objects.filter(id=user_id).update(wrong_codes=F("wrong_codes"))


def open_to_codes(user: User) -> None:
    """Forget the wrong codes given so far. In the caller's transaction."""
    User.objects.filter(id=user.id).update(**NONE_WRONG)
