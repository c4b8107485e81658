"""Pages of a list by the place of a row in its order, and not by number.

So the thousandth page costs as much as the first, and rows that come meanwhile neither repeat a row nor hide one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import CharField, Field, Model, Q, QuerySet, TextField
from django.http import QueryDict

AFTER, BEFORE = "after", "before"  # in the query: the place of the row after, or before, which the page begins
Place = list[str]  # what a row has in the columns of the order


@dataclass(frozen=True)
class OrderColumn:
    """A column of an order. It must be the row's own, and not null: NULL is neither above nor below a value."""

    field: "Field[Any, Any]"
    is_descending: bool

    @property
    def reversed(self) -> "OrderColumn":
        return OrderColumn(self.field, not self.is_descending)

    def read(self, text: str) -> Any:
        """The value that a place names. A text is taken as it is: a form would tidy it. Raises ValidationError."""
        return text if isinstance(self.field, CharField | TextField) else self.field.to_python(text)


@dataclass(frozen=True)
class KeysetPage:
    rows: list[Any]
    is_first: bool
    previous: Place | None  # of the first row, if others come before it
    next: Place | None  # of the last row, if others come after it


def order_of(queryset: QuerySet[Any]) -> list[OrderColumn]:
    """The order of a queryset, whose last column tells any two rows apart."""
    opts = queryset.model._meta
    columns: dict[str, OrderColumn] = {}  # the admin may name one twice: its own order, and then the model's
    for name in map(str, queryset.query.order_by):
        bare = name.removeprefix("-")
        field: Field[Any, Any] = opts.pk if bare == "pk" else opts.get_field(bare)
        columns.setdefault(field.name, OrderColumn(field, name.startswith("-")))
    return list(columns.values())


def page_of(queryset: QuerySet[Any], query: QueryDict, size: int) -> KeysetPage:
    """The page that the query asks for, else the first. Raises BadRequest."""
    order = order_of(queryset)
    if AFTER in query:
        return _page_after(queryset, order, query.getlist(AFTER), size) or _first_page(queryset, order, size)
    if BEFORE in query:
        return _page_before(queryset, order, query.getlist(BEFORE), size) or _first_page(queryset, order, size)
    return _first_page(queryset, order, size)


def _first_page(queryset: QuerySet[Any], order: list[OrderColumn], size: int) -> KeysetPage:
    rows = list(queryset[: size + 1])
    return KeysetPage(rows[:size], is_first=True, previous=None, next=_place_of_last(rows, order, size))


def _page_after(queryset: QuerySet[Any], order: list[OrderColumn], place: Place, size: int) -> KeysetPage | None:
    """None: no row comes after that place any more."""
    rows = list(queryset.filter(_beyond(order, _read(order, place)))[: size + 1])
    if not rows:
        return None
    return KeysetPage(
        rows[:size], is_first=False, previous=_place(rows[0], order), next=_place_of_last(rows, order, size)
    )


def _page_before(queryset: QuerySet[Any], order: list[OrderColumn], place: Place, size: int) -> KeysetPage | None:
    """None: no full page comes before that place, so that the first page is what is wanted."""
    backwards = [column.reversed for column in order]
    rows = list(queryset.reverse().filter(_beyond(backwards, _read(order, place)))[: size + 1])
    if len(rows) <= size:
        return None
    rows = rows[:size][::-1]
    return KeysetPage(rows, is_first=False, previous=_place(rows[0], order), next=_place(rows[-1], order))


def _place_of_last(rows: list[Any], order: list[OrderColumn], size: int) -> Place | None:
    return _place(rows[size - 1], order) if len(rows) > size else None


def _place(row: Model, order: list[OrderColumn]) -> Place:
    return [column.field.value_to_string(row) for column in order]


def _read(order: list[OrderColumn], place: Place) -> list[Any]:
    if len(place) != len(order):
        raise BadRequest
    return [column.read(text) for column, text in zip(order, place, strict=True)]


def _beyond(order: Sequence[OrderColumn], values: Sequence[Any]) -> Q:
    """What comes after a place. The bound of the first column stands by itself, so that an index finds where to begin."""
    column, value = order[0], values[0]
    further = Q((f"{column.field.name}__{'lt' if column.is_descending else 'gt'}", value))
    if len(order) == 1:
        return further
    not_before = Q((f"{column.field.name}__{'lte' if column.is_descending else 'gte'}", value))
    return not_before & (further | _beyond(order[1:], values[1:]))
