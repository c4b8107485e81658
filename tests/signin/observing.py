"""The cost and the stable part of an answer, to compare calls for known and unknown addresses."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock

import argon2.low_level

from demo.client import Answer
from tests.roundtrips import counted

CHANGING = {"timestamp", "request_id"}


@dataclass
class Observed:
    """An answer's stable part, and the work it took."""

    status: int = 0
    document: object = None
    headers: object = None
    argon2_hashes: int = 0
    statements: int = 0
    transactions: int = 0
    round_trips: int = 0

    def note(self, answer: Answer) -> None:
        self.status = answer.status
        self.document = _without(answer.document)
        self.headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}


@contextmanager
def observed() -> Iterator[Observed]:
    """Count Argon2 hashes, SQL statements and round trips to Valkey of the block."""
    seen = Observed()
    with _counting(seen), counted() as cost:
        yield seen
    seen.statements, seen.transactions = len(cost.statements), cost.transactions
    seen.round_trips = cost.round_trips


@contextmanager
def _counting(seen: Observed) -> Iterator[None]:
    """Every hash that Argon2 computes, to make one or to check one."""
    names = ("hash_secret", "verify_secret")
    originals = {name: getattr(argon2.low_level, name) for name in names}

    def counting(name: str) -> object:
        def call(*args: object, **options: object) -> object:
            seen.argon2_hashes += 1
            return originals[name](*args, **options)

        return call

    modules = (argon2.low_level, argon2._password_hasher)
    patches = [mock.patch.object(module, name, counting(name)) for module in modules for name in names]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in patches:
            patch.stop()


def _without(document: object) -> object:
    if isinstance(document, dict):
        return {name: _without(value) for name, value in document.items() if name not in CHANGING}
    return document
