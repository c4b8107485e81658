"""WebAuthn's ceremonies: who we are to the browser, and the challenges, each good once and for five minutes.

A challenge is found again by its own value, which the device signs in `clientDataJSON`: clients need not send anything else.

`webauthn` is imported where it is called, here and where passkeys are enrolled and used: with what it reads certificates by it takes
5 MiB, which a process need not have before it sees the first passkey.
"""

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from apps.core import base64url, ciphers, valkey
from apps.customers import allowed_origins
from apps.customers.state import CustomerState
from apps.factors.errors import InvalidPasskey
from apps.users.models import User

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

LIFETIME_SECONDS = 300
CHALLENGE_BYTES = 32
CREATE, GET = "create", "get"
ANYBODY = "-"
Verified = TypeVar("Verified")


class Descriptor(Protocol):
    """What a browser is told of a passkey, whoever's it is."""

    credential_id: str
    transports: Any


@dataclass(frozen=True)
class RelyingParty:
    """What a browser knows of the customer: the domain that passkeys are bound to, and the pages that may ask for them."""

    id: str
    name: str
    origins: tuple[str, ...]


@dataclass(frozen=True)
class Ceremony:
    """What a device was asked to sign, and since when."""

    challenge: bytes
    begun_at: datetime


def relying_party(customer: CustomerState) -> RelyingParty:
    """The customer's domain, the pages (its own and ours) that lie under it, and the customer's Android apps."""
    ours = urlsplit(settings.PUBLIC_URL)
    domain = customer.passkey_domain or customer.site_domain or ours.hostname or ""
    pages = dict.fromkeys((*allowed_origins.pages(customer.allowed_origins), f"{ours.scheme}://{ours.netloc}"))
    apps = filter(allowed_origins.is_android_app, customer.allowed_origins)
    return RelyingParty(domain, customer.name, (*(page for page in pages if _lies_under(page, domain)), *apps))


def begin(customer_id: UUID, *, kind: str, user: User | None, now: datetime) -> bytes:
    """A fresh challenge for creating (CREATE) or using (GET) a passkey, of this user or of anybody. Raises ValkeyUnavailable."""
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    with valkey.reachable():
        purpose = f"{_purpose(kind, user)} {now.isoformat()}"
        valkey.client().set(_key(customer_id, challenge), purpose, ex=LIFETIME_SECONDS)
    return challenge


def take(customer_id: UUID, credential: Any, *, kind: str, user: User | None) -> Ceremony | None:
    """The ceremony that this credential belongs to, which is used up by this one step. None if it was begun for another purpose.

    A ceremony of a user is void once the user's credentials have changed. Raises ValkeyUnavailable.
    """
    challenge = challenge_in(credential)
    if challenge is None:
        return None
    found = valkey.take(_key(customer_id, challenge))
    begun_at = _begun_at(found, _purpose(kind, user))
    return Ceremony(challenge, begun_at) if begun_at else None


def _begun_at(kept: object, purpose: str) -> datetime | None:
    """When a ceremony of this purpose was begun. What cannot be read counts as absent."""
    found, _space, begun_at = (kept if isinstance(kept, bytes) else b"").decode(errors="replace").rpartition(" ")
    try:
        return datetime.fromisoformat(begun_at) if found == purpose else None
    except ValueError:
        return None


def mark(customer_id: UUID, credential: Any) -> bytes | None:
    """A digest of the challenge, for the session that it begins: so PostgreSQL knows that it was used, even if Valkey forgets."""
    challenge = challenge_in(credential)
    return ciphers.digest(f"{customer_id} webauthn ".encode() + challenge) if challenge else None


def challenge_in(credential: Any) -> bytes | None:
    """What the device has signed. None if that cannot be read."""
    from webauthn.helpers import base64url_to_bytes

    try:
        client_data = json.loads(base64url_to_bytes(credential["response"]["clientDataJSON"]))
        challenge = base64url_to_bytes(client_data["challenge"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return None
    return challenge if len(challenge) == CHALLENGE_BYTES else None


def _key(customer_id: UUID, challenge: bytes) -> str:
    return valkey.key(customer_id, "webauthn", base64url.encode(challenge))


def _purpose(kind: str, user: User | None) -> str:
    return f"{kind} {user.id} {user.credentials_version}" if user else f"{kind} {ANYBODY}"


def _lies_under(origin: str, domain: str) -> bool:
    host = urlsplit(origin).hostname or ""
    return host == domain or host.endswith(f".{domain}")


def verified(verify: Callable[[], Verified]) -> Verified:
    """What the library has verified. Raises InvalidPasskey for every exception of the library.

    Strangers give it certificates and keys of every kind, and the parsers below it raise errors of no common type.
    """
    try:
        return verify()
    except Exception as error:
        raise InvalidPasskey from error


def descriptors(rows: Sequence[Descriptor]) -> "list[PublicKeyCredentialDescriptor]":
    """These passkeys as the browser is told of them."""
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(row.credential_id),
            transports=[AuthenticatorTransport(name) for name in row.transports],
        )
        for row in rows
    ]
