"""Letting go of the thread's connection to PostgreSQL at the end of a request, if the request has used it."""

import threading
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections
from django.http.response import HttpResponseBase


class _OfThisThread(threading.local):
    """Django's connection of a thread. To look it up in Django takes 7 µs."""

    connection: Any = None  # until somebody asks: when this is imported, there may be no settings yet


_of_this_thread = _OfThisThread()


def let_go_if_used() -> None:
    """As Django does at the end of each request, but nothing if it was not used.

    A connection that was let go of is checked at its next use, so nothing is to be done before either.
    """
    mine = _of_this_thread
    if mine.connection is None:
        mine.connection = connections[DEFAULT_DB_ALIAS]
    if mine.connection.health_check_done and not mine.connection.in_atomic_block:  # a caller's own: it would be cut
        close_old_connections()


def let_go_after(response: HttpResponseBase) -> None:
    """Of a stream when it has been sent: its content may still be read from the database."""
    if response.streaming:
        cast("Any", response)._resource_closers.append(let_go_if_used)  # noqa: SLF001  (as Django adds the request's own)
    else:
        let_go_if_used()
