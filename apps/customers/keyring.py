"""The versions of a customer's signing secrets: made, found, and rotated.

A version has the algorithm that the customer had when it was made, and verifies with that alone. A version never changes, so a
process may remember it for ever; whether it still *verifies* is part of the customer's state, which every request reads. The
newest version signs and all that have not retired verify, so rotation is no special case.
"""

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from apps.audit import actions, events
from apps.core import ciphers, sealed
from apps.core.context import RequestContext
from apps.core.errors import ValidationFailed
from apps.core.state.announcements import announce
from apps.customers import state
from apps.customers.models import Customer, SigningSecret
from apps.customers.policy import Algorithm

SECRET_BYTES = 64
NEW_PRIVATE_KEY = {
    Algorithm.ES256: ciphers.new_p256_key,
    Algorithm.EDDSA: ciphers.new_ed25519_key,
    Algorithm.RS256: ciphers.new_rsa_key,
}
MOST_REMEMBERED = 4096
UNKNOWN_REMEMBERED_SECONDS = 5.0


@dataclass(frozen=True)
class SigningKeys:
    """One version, ready to sign and verify: secrets, or private keys as PEM. They never show in a repr."""

    kid: str
    customer_id: UUID
    algorithm: str
    access: bytes = field(repr=False)
    refresh: bytes = field(repr=False)


class _KnownKeys:
    """What this process has seen: versions; and for a moment ids that name none, so that garbage does not cost a query each."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[tuple[UUID, UUID], tuple[SigningKeys | None, float]] = OrderedDict()

    def get(self, place: tuple[UUID, UUID]) -> tuple[bool, SigningKeys | None]:
        with self._lock:
            keys, until = self._known.get(place, (None, 0.0))
            if keys is not None:
                self._known.move_to_end(place)  # made-up ids must not push out those in use
            return (keys is not None or time.monotonic() < until), keys

    def put(self, place: tuple[UUID, UUID], keys: SigningKeys | None) -> None:
        with self._lock:
            self._known[place] = (keys, time.monotonic() + UNKNOWN_REMEMBERED_SECONDS)
            if len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._known.clear()


memory = _KnownKeys()


def signing_keys(customer_id: UUID, kid: UUID) -> SigningKeys | None:
    """This version of this customer's secrets, or None. Another customer's version is not found."""
    remembered, keys = memory.get((customer_id, kid))
    if remembered:
        return keys
    row = SigningSecret.objects.of(customer_id).filter(id=kid).first()
    keys = _unsealed(row) if row else None
    memory.put((customer_id, kid), keys)
    return keys


def current_kid(customer: state.CustomerState) -> UUID:
    """The version that signs now."""
    return next(UUID(kid) for kid, until in customer.secrets.items() if until is None)


def create_secret(customer: Customer, *, now: datetime) -> SigningSecret:
    """Make a new current version. The one before must have its end already."""
    row = SigningSecret(customer=customer, algorithm=customer.algorithm, created_at=now)
    fill_secret(row)
    row.save(force_insert=True)
    return row


def fill_secret(row: SigningSecret) -> None:
    """Put fresh secrets, or private keys, of its algorithm into a new version; those for access and refresh differ."""
    access, refresh = _fresh(row.algorithm), _fresh(row.algorithm)
    row.fingerprint = ciphers.digest(access + refresh).hex()[:16]
    sealed.write(row, "access_secret", access)
    sealed.write(row, "refresh_secret", refresh)


def rotate_gracefully(
    customer: Customer, *, context: RequestContext, retires_at: datetime | None = None
) -> SigningSecret:
    """New tokens use a new version. Old versions verify until the longest token that each has signed has expired.

    `retires_at`: an earlier time for all of them. Raises ValidationFailed for a later one.
    """
    with transaction.atomic():
        locked = _lock(customer)
        longest = last_expiry(locked, now=context.now)
        if retires_at is None:
            _current(locked).update(retires_at=longest)
        elif context.now <= retires_at <= longest:
            _retire_all(locked, at=retires_at)
        else:
            raise ValidationFailed(fields={"retires_at": ["Choose a time between now and the longest token's expiry."]})
        return _replace(locked, ends=retires_at or longest, mode="graceful", context=context)


def rotate_in_emergency(customer: Customer, *, context: RequestContext) -> SigningSecret:
    """No old version verifies any more, from this moment. `tokens.emergency_rotation` ends the sessions."""
    with transaction.atomic():
        locked = _lock(customer)
        _retire_all(locked, at=context.now)
        return _replace(locked, ends=context.now, mode="emergency", context=context)


def follow_policy(before: Customer, after: Customer, *, context: RequestContext) -> SigningSecret | None:
    """Note until when tokens live that were signed under longer lifetimes; rotate gracefully to another algorithm.

    In the transaction of the change, which has locked the customer's row. Until now tokens were signed with the lifetimes of
    `before`; noting that here saves the work at each signing. Returns the new version, if there is one.
    """
    if _longest_token(after) < _longest_token(before):
        _current(after).update(signed_until=last_expiry(before, now=context.now))
    current = _current(after).first()
    if current is None or current.algorithm == after.algorithm:
        return None
    ends = last_expiry(after, now=context.now)
    _current(after).update(retires_at=ends)
    return _replace(after, ends=ends, mode="graceful", context=context)


def last_expiry(customer: Customer, *, now: datetime) -> datetime:
    """When the last token expires that the current version has signed so far, under any lifetimes that the customer has had."""
    noted = _current(customer).values_list("signed_until", flat=True).first()
    ends = now + _longest_token(customer)
    return max(ends, noted) if noted else ends


def _lock(customer: Customer) -> Customer:
    """The customer as it is now, locked until the transaction ends: two rotations happen one after the other."""
    return Customer.objects.select_for_update().get(id=customer.id)


def _current(customer: Customer) -> "QuerySet[SigningSecret]":
    return SigningSecret.objects.of(customer.id).filter(retires_at=None)


def _retire_all(customer: Customer, *, at: datetime) -> None:
    """No version verifies for longer. One that ends earlier keeps its end."""
    SigningSecret.objects.of(customer.id).exclude(retires_at__lte=at).update(retires_at=at)


def _replace(customer: Customer, *, ends: datetime, mode: str, context: RequestContext) -> SigningSecret:
    """A new current version; the one before has its end already. In the caller's transaction."""
    row = create_secret(customer, now=context.now)
    events.record(
        action=actions.SECRETS_ROTATED,
        customer_id=customer.id,
        context=context,
        details={
            "mode": mode,
            "kid": str(row.id),
            "algorithm": row.algorithm,
            "old_retire_at": ends.isoformat(),
        },
    )
    announce(state.subject(customer.id))
    return row


def _longest_token(customer: Customer) -> timedelta:
    return timedelta(seconds=max(customer.access_lifetime, customer.refresh_lifetime))


def _fresh(algorithm: str) -> bytes:
    make = NEW_PRIVATE_KEY.get(Algorithm(algorithm))
    return make() if make else secrets.token_hex(SECRET_BYTES).encode()


def _unsealed(row: SigningSecret) -> SigningKeys:
    return SigningKeys(
        kid=str(row.id),
        customer_id=row.customer_id,
        algorithm=row.algorithm,
        access=sealed.read(row, "access_secret"),
        refresh=sealed.read(row, "refresh_secret"),
    )
