"""Browsers that are not asked for the second factor again, where the customer allows it (`remember_device_days`).

It stands in for the second factors that were given when it was remembered, and for nothing else: it enrols no factor, is no `mfa`
in a token's `amr`, and renews no proof: a session that it helps to begin has the `auth_time` of those factors. Otherwise a password
and a borrowed laptop would be enough to remove them (contract 3.10).
"""

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, QuerySet

from apps.audit import actions
from apps.core import base64url, ciphers
from apps.core.base64url import NotBase64url
from apps.core.context import RequestContext
from apps.core.errors import NotFound
from apps.core.ids import new_id, parse_id
from apps.customers import keyring
from apps.customers.state import CustomerState
from apps.factors import enrolled
from apps.factors.enrolled import Enrolled
from apps.factors.methods import RECOVERY_CODE
from apps.signin import pending_sign_in
from apps.signin.models import RememberedDevice
from apps.signin.pending_sign_in import PendingSignIn
from apps.signin.requirements import EMAIL
from apps.tokens import devices
from apps.users import user_events
from apps.users.models import User

SECRET_BYTES = 32
MOST = 20  # per user; the oldest makes way
MOST_PRESENTED = 5
LONGEST_NAME = 100


def may_remember(customer: CustomerState, passed: tuple[str, ...]) -> bool:
    """Whether a browser can be remembered after these second factors. A recovery code is for once: its user has lost a factor."""
    return customer.remember_device_days > 0 and bool(passed) and RECOVERY_CODE not in passed


def remember(pending: PendingSignIn) -> str:
    """Remember this browser. Returns the token for it to keep. In the transaction that signs in."""
    customer, user, now = pending.customer, pending.user, pending.context.now
    secret = secrets.token_bytes(SECRET_BYTES)
    row = RememberedDevice.objects.create(
        id=new_id(),
        user=user,
        name=devices.name_of(pending.context.user_agent)[:LONGEST_NAME],
        digest=ciphers.digest(secret),
        passed=list(pending.passed),
        factor_set=enrolled.digest_of_set(user.id),
        credentials_version=user.credentials_version,
        signing_kid=keyring.current_kid(customer),
        created_at=now,
        expires_at=now + timedelta(days=customer.remember_device_days),
    )
    _make_room(user)
    user_events.record_own(actions.DEVICE_REMEMBERED, user, pending.context, device=row.name, remembered=str(row.id))
    return f"{row.id}.{base64url.encode(secret)}"


def standing_in(pending: PendingSignIn, found: Enrolled) -> RememberedDevice | None:
    """The remembered device that stands in for all that this sign-in still needs, if the browser has shown its token."""
    for token in pending.device_tokens[:MOST_PRESENTED]:
        row = _valid(token, pending.user, pending.customer, pending.context.now)
        if row is not None and _is_enough(row, pending, found):
            RememberedDevice.objects.filter(id=row.id).update(last_used_at=pending.context.now)
            return row
    return None


def living(user: User, *, customer: CustomerState, now: datetime) -> list[RememberedDevice]:
    """The user's remembered devices that still count, the newest first."""
    factor_set = enrolled.digest_of_set(user.id)
    rows = _of(user, customer)
    return [row for row in rows if _counts(row, customer, factor_set, now)]


def forget(user: User, device_id: UUID, *, customer: CustomerState, context: RequestContext) -> None:
    """End one of the user's remembered devices: it is asked for the second factor again. Raises NotFound."""
    if not _forget(RememberedDevice.objects.of(customer.id).filter(user=user, id=device_id)):
        raise NotFound
    user_events.record_own(actions.DEVICES_FORGOTTEN, user, context, remembered=str(device_id))


def forget_all(user: User, *, customer: CustomerState, context: RequestContext) -> int:
    """End all of them. Returns how many."""
    count = _forget(RememberedDevice.objects.of(customer.id).filter(user=user))
    if count:
        user_events.record_own(actions.DEVICES_FORGOTTEN, user, context, count=count)
    return count


def _valid(token: str, user: User, customer: CustomerState, now: datetime) -> RememberedDevice | None:
    """The row of this token, if it is this user's and still counts."""
    row_id, _dot, text = token.partition(".")
    device_id = parse_id(row_id)
    try:
        secret = base64url.decode(text)
    except NotBase64url:
        return None
    row = _of(user, customer).filter(id=device_id).first() if device_id else None
    if row is None or not ciphers.equal(bytes(row.digest), ciphers.digest(secret)):
        return None
    return row if _counts(row, customer, enrolled.digest_of_set(user.id), now) else None


def _of(user: User, customer: CustomerState) -> "QuerySet[RememberedDevice]":
    """Those of the user whose credentials are the same as then. `user` may have been read before they changed: the row decides."""
    mine = RememberedDevice.objects.of(customer.id).filter(user=user)
    return mine.filter(credentials_version=F("user__credentials_version"))


def _counts(row: RememberedDevice, customer: CustomerState, factor_set: bytes, now: datetime) -> bool:
    """Whether nothing else has changed since: factors, the customer's secrets and its policy."""
    ends = min(row.expires_at, row.created_at + timedelta(days=customer.remember_device_days))
    is_same = bytes(row.factor_set) == factor_set
    return is_same and now < ends and customer.verifies(str(row.signing_kid), now)


def _is_enough(row: RememberedDevice, pending: PendingSignIn, found: Enrolled) -> bool:
    """Only if nothing is missing then: it lets nobody enrol a factor, and leads to no other question."""
    before = pending_sign_in.missing(pending, found)
    with_it = replace(pending, passed=(*pending.passed, *_stood_in_for(row, pending)))
    return before is not None and not before.enrol and pending_sign_in.missing(with_it, found) is None


def _stood_in_for(row: RememberedDevice, pending: PendingSignIn) -> tuple[str, ...]:
    """A code by mail only where it could be given now: never after another one (contract 4, login)."""
    return tuple(method for method in row.passed if method != EMAIL or pending.may_use_email)


def _make_room(user: User) -> None:
    too_many = list(RememberedDevice.objects.filter(user=user).values_list("id", flat=True)[MOST:])
    if too_many:
        RememberedDevice.objects.filter(id__in=too_many).delete()


def _forget(rows: "QuerySet[RememberedDevice]") -> int:
    return rows.delete()[0]
