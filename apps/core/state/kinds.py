"""How a room declares what it remembers: a name, the query that finds it, and the value that it becomes."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet

from apps.core.state.memory import Address
from apps.core.state.subjects import Subject

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Rows = QuerySet[Any, Any]  # with named columns, as `values` gives them
Document = Mapping[str, Any]  # a row by its columns, as JSON has them; `parse` makes a value of it at once


@dataclass(frozen=True)
class Kind(Generic[Key, Value]):
    """One kind of what is remembered.

    `rows`: at most one. `subject`: whose announcement makes a process forget the value; several
    kinds may hold the same thing under different keys, and share its subject.
    """

    name: str
    rows: Callable[[Key], Rows]
    parse: Callable[[Document], Value]
    subject: Callable[[Key, Value], Subject]

    def at(self, key: Key) -> "Lookup[Value]":
        """The one under this key."""
        return Lookup(
            address=(self.name, key),
            rows=lambda: self.rows(key),
            parse=self.parse,
            subject=lambda value: self.subject(key, value),
        )


@dataclass(frozen=True)
class Lookup(Generic[Value]):
    """One thing that may be remembered, and how it is loaded."""

    address: Address
    rows: Callable[[], Rows]
    parse: Callable[[Document], Value]
    subject: Callable[[Value], Subject]
