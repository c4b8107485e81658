"""Every address of the admin, from the site's URL map: a new page is found without being named."""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from django.contrib import admin
from django.db.models import Model
from django.urls import URLPattern, URLResolver

ENDS_THE_SESSION = "logout/"
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


def place_of(model: type[Model]) -> str:
    return f"{model._meta.app_label}/{model._meta.model_name}/"


def actions_of(model: type[Model]) -> list[str]:
    """Of the rows that are selected in its list: Django's own, and those of its page."""
    names = (
        name if isinstance(name, str) else name.__name__ for name in admin.site.get_model_admin(model).actions or ()
    )
    return ["delete_selected", *names]


def routes() -> list[str]:
    """The path of every page of the site, with its converters: "users/user/<path:object_id>/change/"."""
    return sorted(set(_walk(admin.site.get_urls(), "")))


def _walk(patterns: Iterable[Any], before: str) -> Iterator[str]:
    for pattern in patterns:
        here = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, here)
        elif isinstance(pattern, URLPattern):
            yield here


def path_of(route: str, value: str) -> str:
    """Parameters are replaced by `value`; what is a regular expression is made a plain path."""
    filled = re.sub(r"<[^>]+>", lambda _: quote(value.encode("utf-8", "replace"), safe=""), route)
    filled = re.sub(r"\(\?P<\w+>[^)]*\)", "customers", filled)
    return "/admin/" + re.sub(r"[\^$\\?]|\.\*", "", filled)
