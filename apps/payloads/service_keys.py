"""The service's own keys: one shared with servers (`dir`), and a key pair for browsers and mobile apps (`ECDH-ES`)."""

import json
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from joserfc.jwk import ECKey, OctKey

from apps.audit import actions, events
from apps.core import advisory_locks, sealed
from apps.core.context import RequestContext
from apps.core.secret_values import decode_32_bytes
from apps.payloads.models import ServiceKeyPair

REMEMBERED_SECONDS = 30.0  # within this time a rotation reaches every process; the old pair still works meanwhile
DEFAULT_OVERLAP = timedelta(days=30)


@dataclass(frozen=True)
class SharedKey:
    """SERVICE_ENCRYPTION_KEY, or the previous one."""

    kid: str
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class KeyPair:
    """A pair of the service that is still accepted."""

    kid: str
    public_jwk: dict[str, Any]
    private_key: ec.EllipticCurvePrivateKey = field(repr=False)


class _Remembered:
    """The pairs as this process last read them."""

    pairs: tuple[KeyPair, ...] = ()
    until = 0.0


def shared() -> tuple[SharedKey, ...]:
    """The current shared key, then the previous one if there is one."""
    return _shared(settings.SERVICE_ENCRYPTION_KEY, settings.SERVICE_ENCRYPTION_KEY_PREVIOUS)


@lru_cache(maxsize=4)
def _shared(*texts: str) -> tuple[SharedKey, ...]:
    keys = [OctKey.import_key(decode_32_bytes(text)) for text in texts if text]
    return tuple(SharedKey(kid=key.thumbprint(), key=key.raw_value) for key in keys)


def pairs(*, wanted: str | None = None) -> tuple[KeyPair, ...]:
    """The pairs that decrypt, the current one first. Read again when stale, or when `wanted` (a kid) is not known."""
    now = time.monotonic()
    unknown = wanted is not None and all(pair.kid != wanted for pair in _Remembered.pairs)
    if now > _Remembered.until or (unknown and now > _Remembered.until - REMEMBERED_SECONDS + 1):
        _Remembered.pairs = _load()
        _Remembered.until = now + REMEMBERED_SECONDS
    return _Remembered.pairs


def forget() -> None:
    """Read the pairs anew at the next use."""
    _Remembered.until = 0.0


def rotate(*, overlap: timedelta, context: RequestContext) -> ServiceKeyPair:
    """Publish a new pair; the old one decrypts for `overlap` more. Of two rotations at once, the second replaces the first's pair."""
    with transaction.atomic():
        advisory_locks.take_turns("service key pair")
        ServiceKeyPair.objects.filter(retires_at=None).update(retires_at=context.now + overlap)
        row = _insert(context.now)
        events.record(action=actions.SERVICE_KEY_ROTATED, context=context, details={"kid": row.kid})
    forget()
    return row


def _load() -> tuple[KeyPair, ...]:
    rows = _accepted()
    if not any(row.retires_at is None for row in rows):
        _create_first()
        rows = _accepted()
    return tuple(_unsealed(row) for row in rows)


def _accepted() -> list[ServiceKeyPair]:
    alive = Q(retires_at=None) | Q(retires_at__gt=timezone.now())
    return list(ServiceKeyPair.objects.filter(alive).order_by("-created_at", "-id"))


def _create_first() -> None:
    """On first start: one of several processes makes the first pair."""
    with transaction.atomic():
        advisory_locks.take_turns("service key pair")
        if not ServiceKeyPair.objects.filter(retires_at=None).exists():
            _insert(timezone.now())


def _insert(now: datetime) -> ServiceKeyPair:
    key = ECKey.generate_key("P-256", private=True)
    row = ServiceKeyPair(kid=key.thumbprint(), public_jwk=key.as_dict(private=False), created_at=now)
    sealed.write(row, "private_jwk", json.dumps(key.as_dict(private=True)).encode())
    row.save(force_insert=True)
    return row


def _unsealed(row: ServiceKeyPair) -> KeyPair:
    key = ECKey.import_key(json.loads(sealed.read(row, "private_jwk")))
    public = {name: row.public_jwk[name] for name in ("kty", "crv", "x", "y")}
    return KeyPair(
        kid=row.kid,
        public_jwk={**public, "use": "enc", "alg": "ECDH-ES", "kid": row.kid},
        private_key=cast("ec.EllipticCurvePrivateKey", key.private_key),  # it was sealed whole
    )
