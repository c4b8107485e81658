"""Ten codes, each good once, for a user who has lost every other factor. Shown once, kept as digests."""

import secrets
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from apps.audit import actions
from apps.audit.models import Severity
from apps.core import ciphers, typed_codes
from apps.core.context import RequestContext
from apps.customers.state import CustomerState
from apps.factors.models import RecoveryCode
from apps.users import directory, notices, user_events
from apps.users.models import User

NAME = "Recovery codes"
NUMBER, GROUPS, GROUP_LENGTH = 10, 4, 4
TOLD_AT = (3, 0)  # the user is told when so many are left: in time to make new ones, and when there are none
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32: 16 letters are 80 random bits
LOOK_ALIKES = str.maketrans("OIL", "011")


def make(user: User, *, now: datetime) -> tuple[str, ...]:
    """Ten fresh codes, "XXXX-XXXX-XXXX-XXXX"; the old ones are worthless from now on."""
    codes = tuple(generate() for _ in range(NUMBER))
    with transaction.atomic():
        directory.lock(user.id)  # two at once take turns
        RecoveryCode.objects.filter(user=user).delete()
        RecoveryCode.objects.bulk_create(
            [RecoveryCode(user=user, digest=_digest(user.id, code), created_at=now) for code in codes]
        )
    return codes


def make_if_none(user: User, *, now: datetime) -> tuple[str, ...]:
    """Ten codes for a user who has none left, else nothing."""
    return () if left(user.id) else make(user, now=now)


def spend(user: User, code: str, *, customer: CustomerState, context: RequestContext) -> int | None:
    """Use a code up, if it is one of the user's, and return how many are left. None for a wrong one.

    The user is told by mail when few are left, and when none is. In the caller's transaction, which has locked the user.
    """
    if not use(user.id, code, now=context.now):
        return None
    remaining = left(user.id)
    user_events.record_own(actions.RECOVERY_CODE_USED, user, context, severity=Severity.LOW, left=remaining)
    if remaining in TOLD_AT:
        notices.post(notices.RECOVERY_CODES_LOW, customer=customer, user=user, context=context, count=remaining)
    return remaining


def use(user_id: UUID, code: str, *, now: datetime) -> bool:
    """Use a code up, if it is one of the user's: in one statement, so that of many requests at once one succeeds."""
    unused = RecoveryCode.objects.filter(user_id=user_id, digest=_digest(user_id, code), used_at=None)
    return unused.update(used_at=now) == 1


def left(user_id: UUID) -> int:
    """How many are unused."""
    return RecoveryCode.objects.filter(user_id=user_id, used_at=None).count()


def edition(user_id: UUID) -> str:
    """Which set of codes the user has; empty for none. Another set is another edition."""
    newest = RecoveryCode.objects.filter(user_id=user_id).aggregate(newest=Max("created_at"))["newest"]
    return newest.isoformat() if newest else ""


def generate() -> str:
    """A fresh code, "XXXX-XXXX-XXXX-XXXX"."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))


def _digest(user_id: UUID, code: str) -> bytes:
    return ciphers.digest(f"gatehouse/recovery/v1\0{user_id}\0{plain(code)}".encode())


def plain(code: str) -> str:
    """The code as it was meant: letters that look like digits are read as digits."""
    return typed_codes.read(code).translate(LOOK_ALIKES)
