"""WebAuthn's ceremonies: who we are to the browser, and the challenges that each counts once for five minutes.

A challenge is found again by its own value, which the browser signs into `clientDataJSON`: clients need send nothing else.
"""

import json
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from webauthn.helpers import base64url_to_bytes

from apps.core import ciphers, valkey
from apps.customers import allowed_origins
from apps.customers.standing import CustomerStanding

LIFETIME_SECONDS = 300
CHALLENGE_BYTES = 32
CREATE, GET = "create", "get"
ANYBODY = "-"


@dataclass(frozen=True)
class RelyingParty:
    """The customer to a browser: the domain that its passkeys are bound to, and the pages that may ask for them."""

    id: str
    name: str
    origins: tuple[str, ...]


def relying_party(customer: CustomerStanding) -> RelyingParty:
    """The customer's domain, the pages (its own and ours) that lie under it, and the customer's Android apps."""
    ours = urlsplit(settings.PUBLIC_URL)
    domain = customer.passkey_domain or customer.site_domain or ours.hostname or ""
    pages = dict.fromkeys((*allowed_origins.pages(customer.allowed_origins), f"{ours.scheme}://{ours.netloc}"))
    apps = filter(allowed_origins.is_android_app, customer.allowed_origins)
    return RelyingParty(domain, customer.name, (*(page for page in pages if _lies_under(page, domain)), *apps))


def begin(customer_id: UUID, *, kind: str, user_id: UUID | None) -> bytes:
    """A fresh challenge for creating (CREATE) or using (GET) a passkey, of this user or of anybody. Raises ValkeyUnavailable."""
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    with valkey.reachable():
        valkey.client().set(_key(customer_id, challenge), _purpose(kind, user_id), ex=LIFETIME_SECONDS)
    return challenge


def take(customer_id: UUID, credential: Any, *, kind: str, user_id: UUID | None) -> bytes | None:
    """The challenge that this credential answers, used up by this one step; None unless it was begun for just this.

    Raises ValkeyUnavailable.
    """
    challenge = _challenge_in(credential)
    if challenge is None:
        return None
    found = valkey.take(_key(customer_id, challenge))
    return challenge if found == _purpose(kind, user_id).encode() else None


def mark(customer_id: UUID, credential: Any) -> bytes | None:
    """What a session keeps of the challenge that began it: PostgreSQL knows that it was used, whatever Valkey has forgotten."""
    challenge = _challenge_in(credential)
    return ciphers.digest(f"{customer_id} webauthn ".encode() + challenge) if challenge else None


def _challenge_in(credential: Any) -> bytes | None:
    try:
        client_data = json.loads(base64url_to_bytes(credential["response"]["clientDataJSON"]))
        challenge = base64url_to_bytes(client_data["challenge"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return None
    return challenge if len(challenge) == CHALLENGE_BYTES else None


def _key(customer_id: UUID, challenge: bytes) -> str:
    return valkey.key(customer_id, "webauthn", urlsafe_b64encode(challenge).decode())


def _purpose(kind: str, user_id: UUID | None) -> str:
    return f"{kind} {user_id or ANYBODY}"


def _lies_under(origin: str, domain: str) -> bool:
    host = urlsplit(origin).hostname or ""
    return host == domain or host.endswith(f".{domain}")
