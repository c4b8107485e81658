"""Who acts, from where, and when: made at the edge, and passed through every flow as `context`."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from apps.core import actors


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """One request, or one piece of background work, as flows see it.

    `actor`: as events name it (`core.actors`). `ip` is None when the server knows no peer (a unix socket).
    `sandbox_key_id`: the test key of the request, or of its session's first request. Its messages are listed and not sent.
    `key_id`: of the API key that came with the request, if one did.
    `accept_language`: the header, which says what language to write to the client in.
    `request_mark`: of an encrypted request before sign-in. No two requests have the same, unless one is sent again.
    """

    now: datetime
    actor: str = actors.ANONYMOUS
    ip: str | None = None
    user_agent: str = ""
    request_id: str = ""
    sandbox_key_id: str = ""
    key_id: str = ""
    accept_language: str = ""
    request_mark: bytes | None = None

    @classmethod
    def system(cls, *, now: datetime) -> Self:
        """For background work and commands: there is no client, and the service itself acts."""
        return cls(now=now, actor=actors.SYSTEM)

    @property
    def in_sandbox(self) -> bool:
        """Whether a test key asks: nothing is sent, and its codes count only with test keys."""
        return bool(self.sandbox_key_id)

    def by(self, actor: str) -> Self:
        """The same request, now that its actor is known."""
        return replace(self, actor=actor)

    def with_key(self, key_id: str) -> Self:
        """The same request, now that its API key is known."""
        return replace(self, key_id=key_id)

    def at(self, now: datetime) -> Self:
        """The same request at another time."""
        return replace(self, now=now)
