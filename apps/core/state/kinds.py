"""How a room declares what it remembers: a name, the query that finds it, and the value that it becomes."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet

from apps.core.state.memory import Address
from apps.core.state.statements import Parameters, Statement, compiled
from apps.core.state.subjects import Subject

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Rows = QuerySet[Any, Any]  # with named columns, as `values` gives them
Document = Mapping[str, Any]  # a row by its columns, as JSON has them; `parse` makes a value of it at once


@dataclass(frozen=True)
class Kind(Generic[Key, Value]):
    """One kind of what is remembered.

    `rows`: at most one row. It is called once, to compile the query, which may depend on the key alone: on no time of day.
    `parse` gets the key, too: a value that holds it shares its UUIDs, of which each would take 110 bytes more.
    `subject`: whose announcement makes a process forget the value; several kinds may hold the same thing under different
    keys, and share its subject.
    """

    name: str
    rows: Callable[[Key], Rows]
    parse: Callable[[Key, Document], Value]
    subject: Callable[[Key, Value], Subject]
    _compiled: list[Statement] = field(default_factory=list, init=False, repr=False, compare=False)

    def at(self, key: Key) -> "Lookup[Value]":
        """The one under this key."""
        return Lookup(self, key, (self.name, key))

    def statement(self, key: Key) -> tuple[str, Parameters]:
        """The query that finds it."""
        if not self._compiled:
            self._compiled.append(compiled(self.rows, key))
        return self._compiled[0].text, self._compiled[0].parameters_for(key)


@dataclass(slots=True)
class Lookup(Generic[Value]):
    """One thing that may be remembered, and how it is loaded."""

    kind: Kind[Any, Value]
    key: Hashable
    address: Address

    def statement(self) -> tuple[str, Parameters]:
        return self.kind.statement(self.key)

    def parse(self, document: Document) -> Value:
        return self.kind.parse(self.key, document)

    def subject(self, value: Value) -> Subject:
        return self.kind.subject(self.key, value)
