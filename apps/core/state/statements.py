"""The query of a kind, compiled once. Django takes far longer to make its text than PostgreSQL to answer it."""

import secrets
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.db.models import QuerySet

Parameters = tuple[Any, ...]
STAND_INS: dict[type, Callable[[], Hashable]] = {
    UUID: uuid4,
    str: lambda: uuid4().hex,
    int: lambda: secrets.randbits(30),  # fits each column of whole numbers
}


@dataclass(frozen=True)
class Statement:
    """A query's text, and its parameters: those in `places` are parts of the key, by their number."""

    text: str
    parameters: Parameters
    places: dict[int, int]

    def parameters_for(self, key: Hashable) -> Parameters:
        parts = parts_of(key)
        return tuple(
            parts[self.places[number]] if number in self.places else given
            for number, given in enumerate(self.parameters)
        )


def parts_of(key: Hashable) -> Sequence[Hashable]:
    return key if isinstance(key, tuple) else (key,)


def compiled(rows: Callable[[Any], QuerySet[Any, Any]], like: Hashable) -> Statement:
    """The statement of `rows` for keys like this one: it is compiled for stand-ins, and those are found again in the parameters."""
    stand_ins = [STAND_INS[type(part)]() for part in parts_of(like)]
    text, parameters = rows(tuple(stand_ins) if isinstance(like, tuple) else stand_ins[0]).query.sql_with_params()
    places = {number: stand_ins.index(given) for number, given in enumerate(parameters) if given in stand_ins}
    if set(places.values()) != set(range(len(stand_ins))):
        raise ValueError("a query of remembered state must depend on every part of its key, as it is")
    return Statement(text, tuple(parameters), places)
