"""What operators' passkeys sign. A challenge says by its own MAC who made it, for what, and when: nothing waits for Valkey.

It is 32 bytes: seconds (4), chance (12), MAC (16). That it was used is kept in PostgreSQL until it would have expired.
"""

import secrets
import struct
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from apps.core import ciphers

INFO = "gatehouse/operators/webauthn/v1"
LIFETIME = timedelta(minutes=5)
CHANCE, MAC = 12, 16  # bytes
_USE = "INSERT INTO operators_usedchallenge (digest, expires_at) VALUES (%s, %s) ON CONFLICT DO NOTHING"


def new(purpose: str, subject: str) -> bytes:
    """A challenge for this purpose. `subject`: the session that may use it; empty for any."""
    head = struct.pack(">I", int(timezone.now().timestamp())) + secrets.token_bytes(CHANCE)
    return head + _mac(head, purpose, subject)


def is_ours(challenge: bytes, purpose: str, subject: str) -> bool:
    """Whether we have made it, for this, a few minutes ago."""
    head, mac = challenge[:-MAC], challenge[-MAC:]
    age = timezone.now() - _made_at(head)
    return ciphers.equal(mac, _mac(head, purpose, subject)) and timedelta(seconds=-1) <= age < LIFETIME


def use(challenge: bytes) -> bool:
    """Use it up. Of many uses at once one succeeds."""
    with connection.cursor() as cursor:
        cursor.execute(_USE, [ciphers.digest(challenge), _made_at(challenge) + LIFETIME])
        return bool(cursor.rowcount == 1)


def _made_at(challenge: bytes) -> datetime:
    return datetime.fromtimestamp(struct.unpack(">I", challenge[:4])[0], UTC)


def _mac(head: bytes, purpose: str, subject: str) -> bytes:
    text = f"{INFO}\0{purpose}\0{subject}".encode()
    return ciphers.mac(text + b"\0" + head, key=str(settings.SECRET_KEY).encode())[:MAC]
