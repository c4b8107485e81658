"""A yes that was given a moment ago, to the same question about the same token from the same address.

It stays a yes as long as nothing that this process remembers was announced to have changed, the lease holds, and none of
the times that it depends on has come. So it is asked for these every time, and for nothing else. A minute after the session's
activity was written it is decided anew, because that must be written again.
"""

import math
from dataclasses import dataclass
from hashlib import sha256
from sys import intern

from apps.api.authentication.principal import Principal
from apps.core.state.memory import Memory
from apps.core.state.process import present
from apps.tokens import sessions
from apps.tokens.signing import LEEWAY_SECONDS

MOST = 10_000  # of 0.5 KiB (tracemalloc)

Place = tuple[bytes, str, str]
Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class RememberedVerdict:
    """`since` and `until` in unix time. `memory` and `generation`: of the state that it follows from."""

    told: Headers
    since: float
    until: float
    memory: Memory
    generation: int


_verdicts: dict[Place, RememberedVerdict] = {}


def place_of(authorization: str, demands: str, address: str) -> Place:
    """The token itself is not kept."""
    return sha256(authorization.encode("utf-8", "surrogatepass")).digest(), demands, address


def find(place: Place, now: float) -> Headers | None:
    """What the app is told, if the answer still is yes. `now` in unix time."""
    known = _verdicts.get(place)
    if known is None or not known.since <= now < known.until:
        return None
    process = present()
    if not process.may_trust_memory():  # this first: it hears what has changed
        return None
    memory = process.memory
    return known.told if memory is known.memory and memory.generation == known.generation else None


def keep(place: Place, who: Principal, told: Headers, *, max_age: int | None, now: float, generation: int) -> None:
    """`generation`: as it was before anything was read."""
    if len(_verdicts) >= MOST:
        _verdicts.clear()
    digest, demands, address = place
    _verdicts[digest, intern(demands), address] = RememberedVerdict(
        told, now, _until(who, max_age), present().memory, generation
    )


def _until(who: Principal, max_age: int | None) -> float:
    """When the first of token, session, secret and proof is too old, or the session's activity is to be written."""
    secret_until = who.customer.secrets.get(who.claims.kid, 0.0)
    return min(
        who.token_expires_at + LEEWAY_SECONDS,
        who.session.expires_at,
        sessions.activity_due_at(who.session),
        math.inf if secret_until is None else secret_until,
        math.inf if max_age is None else who.proof.auth_time + max_age,
    )
