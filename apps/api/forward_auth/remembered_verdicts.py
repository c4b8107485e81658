"""A yes that was given a moment ago, to the same question about the same token from the same address.

It stays a yes as long as nothing that this process remembers was announced to have changed, the lease holds, and none of
the times that it depends on has come. So it is asked for these every time, and for nothing else.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from apps.api.authentication.principal import Principal
from apps.core.state.memory import Memory
from apps.core.state.process import present
from apps.tokens.signing import LEEWAY_SECONDS

MOST = 10_000  # of about 1 KiB

Place = tuple[bytes, str, str]
Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class RememberedVerdict:
    """`since` and `until` in unix time. `memory` and `generation`: of the state that it follows from."""

    who: Principal
    told: Headers
    since: float
    until: float
    memory: Memory
    generation: int


_verdicts: dict[Place, RememberedVerdict] = {}


def place_of(authorization: str, demands: str, address: str | None) -> Place:
    """The token itself is not kept."""
    return sha256(authorization.encode("utf-8", "surrogatepass")).digest(), demands, address or ""


def find(place: Place, now: datetime) -> RememberedVerdict | None:
    """The yes, if it still is one."""
    known = _verdicts.get(place)
    if known is None or not known.since <= now.timestamp() < known.until:
        return None
    process = present()
    if not process.may_trust_memory():  # this first: it hears what has changed
        return None
    return known if process.memory is known.memory and process.memory.generation == known.generation else None


def keep(place: Place, who: Principal, told: Headers, *, max_age: int | None, now: datetime, generation: int) -> None:
    """`generation`: as it was before anything was read."""
    if len(_verdicts) >= MOST:
        _verdicts.clear()
    until = _until(who, max_age)
    _verdicts[place] = RememberedVerdict(who, told, now.timestamp(), until, present().memory, generation)


def _until(who: Principal, max_age: int | None) -> float:
    """When the first of token, session, secret and proof is too old."""
    secret_until = who.customer.secrets.get(who.claims.kid, 0.0)
    return min(
        who.token_expires_at + LEEWAY_SECONDS,
        who.session.expires_at,
        math.inf if secret_until is None else secret_until,
        math.inf if max_age is None else who.proof.auth_time + max_age,
    )
