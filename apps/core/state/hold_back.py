"""An answer to a request that announced something is held back until every lease has run out that began before its commit.

From then on no process can trust what it remembered before: no acknowledgements, no register of processes, nothing to retry.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.core.state import clock
from apps.core.state.lease import duration

_committed_at: ContextVar[float] = ContextVar("state_committed_at", default=clock.NEVER)


def note_commit() -> None:
    """A transaction that announced something has committed."""
    _committed_at.set(clock.now())


def wait() -> None:
    """Return when every process has forgotten what was announced. At once when nothing was."""
    committed_at = _committed_at.get()
    if committed_at == clock.NEVER:
        return
    until = committed_at + duration()
    while (remaining := until - clock.now()) > 0:
        time.sleep(remaining)


@contextmanager
def holding_back() -> Iterator[None]:
    """Around one request: the block is left when its answer may be given. One that raises is not waited for."""
    before = _committed_at.set(clock.NEVER)
    try:
        yield
        wait()
    finally:
        _committed_at.reset(before)


class HoldBackMiddleware:
    """For every edge: the API, the admin, and the pages. What answers before Django's handler uses `holding_back` itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with holding_back():
            return self.get_response(request)
