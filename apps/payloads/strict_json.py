"""JSON as a security protocol needs it: UTF-8, no duplicate members, no NaN, of bounded depth."""

import json
from typing import Any, NoReturn

DEEPEST = 32


class NotStrictJson(ValueError):
    """The text is not JSON of this kind."""


def parse_object(text: bytes) -> dict[str, Any]:
    """The JSON object in `text`. Raises NotStrictJson."""
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotStrictJson(str(error)) from error
    if not isinstance(value, dict) or _depth(value) > DEEPEST:
        raise NotStrictJson("not an object, or too deep")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrictJson("duplicate member")
    return members


def _refuse(constant: str) -> NoReturn:
    raise NotStrictJson(constant)


def _depth(value: Any) -> int:
    """How deep containers nest, found without recursion."""
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        deepest = max(deepest, depth)
        if depth > DEEPEST:
            break
        members = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        waiting.extend((member, depth + 1) for member in members)
    return deepest
