"""What a token was told a moment ago, for the same question about the same token from the same address.

It stays right as long as nothing that this process remembers was announced to have changed, the lease holds, and none of
the times that it depends on has come. So it is asked for these every time, and for nothing else. A minute after the session's
activity was written all is decided anew, because that must be written again.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from sys import intern
from typing import Any, Generic, TypeVar

from apps.api.authentication.api_key import IN_ENVIRONMENT as API_KEY
from apps.api.authentication.principal import Principal
from apps.core.requests import address_in
from apps.core.state.memory import Memory
from apps.core.state.process import present
from apps.tokens import sessions
from apps.tokens.signing import LEEWAY_SECONDS

Place = tuple[bytes, str, str]
Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class RememberedAnswer(Generic[Told]):
    """`since` and `until` in unix time. `memory` and `generation`: of the state that it follows from."""

    told: Told
    since: float
    until: float
    memory: Memory
    generation: int


def place_of(environ: Mapping[str, Any], question: str = "") -> Place | None:
    """Where the answer to a request (PEP 3333) would be found. The token itself is not kept.

    None where more decides than token, question and address: a cookie's proof, a key that comes along.
    """
    authorization = environ.get("HTTP_AUTHORIZATION")
    if not authorization or API_KEY in environ:
        return None
    return sha256(authorization.encode("utf-8", "surrogatepass")).digest(), question, address_in(environ)


class RememberedAnswers(Generic[Told]):
    """Those to one call. Only successes: a refusal is never remembered."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._answers: dict[Place, RememberedAnswer[Told]] = {}

    def __len__(self) -> int:
        return len(self._answers)

    def find(self, place: Place, now: float) -> Told | None:
        """What was told, if it still is right. `now` in unix time."""
        known = self._answers.get(place)
        if known is None or not known.since <= now < known.until:
            return None
        process = present()
        if not process.may_trust_memory():  # this first: it hears what has changed
            return None
        memory = process.memory
        return known.told if memory is known.memory and memory.generation == known.generation else None

    def keep(self, place: Place, who: Principal, told: Told, *, now: float, until: float, generation: int) -> None:
        """`until`: in unix time, if it ends before token, session and secret do. `generation`: as it was before anything was read."""
        if len(self._answers) >= self._most:
            self._answers.clear()
        digest, question, address = place
        ends = min(until, _until(who))
        self._answers[digest, intern(question), address] = RememberedAnswer(
            told, now, ends, present().memory, generation
        )


def _until(who: Principal) -> float:
    """When the first of token, session and secret is too old, or the session's activity is to be written."""
    secret_until = who.customer.secrets.get(who.claims.kid, 0.0)
    return min(
        who.token_expires_at + LEEWAY_SECONDS,
        who.session.expires_at,
        sessions.activity_due_at(who.session),
        math.inf if secret_until is None else secret_until,
    )
