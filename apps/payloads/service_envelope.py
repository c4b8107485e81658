"""The envelope before sign-in (contract 2.1): encrypted to the service's keys, fresh, used once, and for this path."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from apps.core import ciphers, valkey
from apps.core.requests import unreserved_decoded
from apps.payloads import jwe, service_keys
from apps.payloads.errors import InvalidEnvelope, ReplayedRequest, StaleRequest
from apps.payloads.jwe import NotDecrypted, Parts
from apps.payloads.strict_json import NotStrictJson, parse_object

OLDEST_SECONDS, FUTURE_SECONDS = 120, 30
# A request is fresh for 150 s at most (from 30 s ahead to 120 s old). Its jti is remembered for longer, so that none is fresh
# but forgotten.
REMEMBERED_SECONDS = OLDEST_SECONDS + FUTURE_SECONDS + 30
SHORTEST_JTI, LONGEST_JTI = 16, 64


@dataclass(frozen=True)
class OpenedRequest:
    """The fields of a request, and a mark that no other request of this customer has: a session keeps that of its first request."""

    fields: dict[str, Any]
    mark: bytes


def open_request(text: str, *, path: str, customer_id: UUID, now: datetime) -> OpenedRequest:
    """Raises InvalidEnvelope, StaleRequest, ReplayedRequest or ValkeyUnavailable."""
    try:
        document = parse_object(_decrypt(jwe.parse(text)))
    except (NotDecrypted, NotStrictJson) as error:
        raise InvalidEnvelope from error
    iat, jti, htu = (document.pop(name, None) for name in ("iat", "jti", "htu"))
    if (
        not isinstance(htu, str)
        or unreserved_decoded(htu) != path
        or not isinstance(iat, int)
        or isinstance(iat, bool)
        or not _is_jti(jti)
    ):
        raise InvalidEnvelope
    seconds = now.timestamp()
    # Compared, not subtracted: an integer of a thousand digits fits into no float.
    if not seconds - OLDEST_SECONDS <= iat <= seconds + FUTURE_SECONDS:
        raise StaleRequest
    _use_once(jti, customer_id)
    return OpenedRequest(document, mark=_mark(customer_id, iat, jti))


def _mark(customer_id: UUID, iat: int, jti: str) -> bytes:
    """Of the `jti` together with its time: the same may come again once this request is stale.

    The time stands in front, so that the index of marks grows at its end, and not in another page with each sign-in.
    """
    return iat.to_bytes(8, "big") + ciphers.digest(f"{customer_id} {iat} {jti}".encode())[:24]


def _is_jti(jti: Any) -> bool:
    return isinstance(jti, str) and SHORTEST_JTI <= len(jti) <= LONGEST_JTI and jti.isprintable()


def _decrypt(parts: Parts) -> bytes:
    """Decrypt with the key that `kid` names; without a `kid` with the current one, then the previous."""
    kid = parts.kid
    if parts.header["alg"] == jwe.DIRECT:
        shared = [key for key in service_keys.shared() if kid in (None, key.kid)]
        return _first(partial(jwe.open_direct, parts, key=key.key) for key in shared)
    pairs = [pair for pair in service_keys.pairs(wanted=kid) if kid in (None, pair.kid)]
    return _first(partial(jwe.open_agreed, parts, private_key=pair.private_key) for pair in pairs)


def _first(tries: Iterable[Callable[[], bytes]]) -> bytes:
    """The result of the first attempt that succeeds. Raises NotDecrypted if none does."""
    for attempt in tries:
        try:
            return attempt()
        except NotDecrypted:
            continue
    raise NotDecrypted


def _use_once(jti: str, customer_id: UUID) -> None:
    name = valkey.key(customer_id, "replay", ciphers.digest(jti.encode()).hex())
    if not valkey.is_first(name, within=REMEMBERED_SECONDS):
        raise ReplayedRequest
