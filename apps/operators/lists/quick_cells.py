"""What is the same in each row of a list is made once: unfold makes the headers anew for every row, and renders each label."""

from functools import lru_cache
from typing import Any

from unfold.templatetags import unfold_list

from apps.operators.lists.labels import Label

KEPT = 1024  # labels: states and kinds, in each language
_headers, _label = unfold_list.result_headers, unfold_list.display_for_label


def use() -> None:
    """Once, at start-up."""
    unfold_list.result_headers = _headers_once
    unfold_list.display_for_label = _label_once


def _headers_once(rows: Any) -> list[dict[str, Any]]:
    """Of a list: they are kept with it, and so for one page."""
    if not hasattr(rows, "made_headers"):
        rows.made_headers = list(_headers(rows))
    made: list[dict[str, Any]] = rows.made_headers
    return made


def _label_once(value: Any, empty: str, colours: Any) -> str:
    if isinstance(value, Label) and isinstance(colours, dict) and value.state in colours:
        return _coloured(colours[value.state], str(value.text))
    found: str = _label(value, empty, colours)
    return found


@lru_cache(maxsize=KEPT)
def _coloured(colour: str, text: str) -> str:
    made: str = _label(text, "", {text: colour})
    return made
