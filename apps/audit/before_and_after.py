"""What a change was: each field before and after it, as events keep it under `changes`.

Events are kept for ever and read by many. So a value that may hold a secret, or names a person, is left out: the field is
there, without its values.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Model

LONGEST_VALUE = 2000  # characters of JSON; events are small
HIDDEN: dict[str, Any] = {}  # in the place of a value before and a value after

Changes = dict[str, dict[str, Any]]


def values(row: Model, names: Iterable[str]) -> dict[str, Any]:
    """What these columns of the row hold now."""
    return {name: getattr(row, name) for name in names}


def differences(before: Mapping[str, Any], after: Mapping[str, Any], *, hidden: Collection[str] = ()) -> Changes:
    """What differs, by name: {"colour": {"before": "#ffffff", "after": "#000000"}}. Of those in `hidden`, no value is kept."""
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return {name: _change(before.get(name), after.get(name), is_hidden=name in hidden) for name in names}


def of_rows(before: Model, after: Model, names: Iterable[str], *, hidden: Collection[str] = ()) -> Changes:
    """What differs between two states of a row, in these columns."""
    columns = list(names)
    return differences(values(before, columns), values(after, columns), hidden=hidden)


def _change(before: Any, after: Any, *, is_hidden: bool) -> dict[str, Any]:
    if is_hidden or _may_hold_secret(before) or _may_hold_secret(after):
        return dict(HIDDEN)
    change = {"before": _plain(before), "after": _plain(after)}
    return change if len(json.dumps(change)) <= LONGEST_VALUE else dict(HIDDEN)


def _may_hold_secret(value: Any) -> bool:
    """Addresses often carry a secret in their user part or their query."""
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(_may_hold_secret, value))
    if not isinstance(value, str) or "://" not in value:
        return isinstance(value, bytes | memoryview)
    try:
        parts = urlsplit(value)
    except ValueError:
        return True
    return "@" in parts.netloc or bool(parts.query or parts.fragment)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, list | tuple):
        return list(map(_plain, value))
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)
