"""The menu beside each page: which pages it names to an operator, and which of them is open."""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import get_script_prefix, reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language

TEMPLATE = "operators/frame/menu.html"
MOST_KEPT = 500  # texts of some 10 KB


class Entry(NamedTuple):
    """A page. `may_see`: whether the operator of a request may open it."""

    title: str
    icon: str
    address: str
    may_see: Callable[[HttpRequest], bool]


def of(request: HttpRequest) -> SafeString:
    """The operator's rights are asked at each request. The text is made of them, of the open page and the language alone, and kept."""
    language = get_language() or ""
    entries = [entry for _title, group in _groups(language, get_script_prefix()) for entry in group]
    seen = tuple(entry.address for entry in entries if entry.may_see(request))
    return _written(language, get_script_prefix(), seen, _open(request.path, seen))


def _open(path: str, addresses: tuple[str, ...]) -> str:
    """The address of the entry under which the page is. The overview's begins all others, and stands for itself alone."""
    overview = reverse("admin:index")
    return next((each for each in addresses if path == each or (path.startswith(each) and each != overview)), "")


@cache
def _groups(language: str, prefix: str) -> list[tuple[str, list[Entry]]]:  # noqa: ARG001  (what titles and addresses depend on)
    groups: list[dict[str, Any]] = settings.UNFOLD["SIDEBAR"]["navigation"]
    return [(str(group["title"]), list(map(_entry, group["items"]))) for group in groups]


def _entry(item: dict[str, Any]) -> Entry:
    return Entry(str(item["title"]), item["icon"], str(item["link"]), item.get("permission", lambda _request: True))


@lru_cache(maxsize=MOST_KEPT)
def _written(language: str, prefix: str, seen: tuple[str, ...], opened: str) -> SafeString:
    groups = [
        (title, [entry for entry in group if entry.address in seen]) for title, group in _groups(language, prefix)
    ]
    return render_to_string(
        TEMPLATE, {"groups": [(title, shown) for title, shown in groups if shown], "opened": opened}
    )
