"""How a room declares what it remembers: a name, the query that finds it, and the value that it becomes."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet

from apps.core.state.memory import Address
from apps.core.state.subjects import Subject

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Document = Mapping[str, Any]  # a row as JSON; `parse` makes a value of it at once


@dataclass(frozen=True)
class Kind(Generic[Key, Value]):
    """One kind of what is remembered.

    `documents`: at most one row of one column, a JSON object. `subject`: whose announcement makes a process forget the value;
    several kinds may hold the same thing under different keys, and share its subject.
    """

    name: str
    documents: Callable[[Key], "QuerySet[Any, Any]"]
    parse: Callable[[Document], Value]
    subject: Callable[[Value], Subject]

    def at(self, key: Key) -> "Lookup[Value]":
        """The one under this key."""
        return Lookup(
            address=(self.name, key),
            documents=lambda: self.documents(key),
            parse=self.parse,
            subject=self.subject,
        )


@dataclass(frozen=True)
class Lookup(Generic[Value]):
    """One thing that may be remembered, and how it is loaded."""

    address: Address
    documents: Callable[[], "QuerySet[Any, Any]"]
    parse: Callable[[Document], Value]
    subject: Callable[[Value], Subject]
