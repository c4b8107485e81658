"""What Ctrl-K finds: a user by address, a customer by name or slug, a key, session or request by its id.

Each is found whole or by how it begins, and by an index. Each look-up asks the model's own page, so that operators find
what they may see there and nothing else.
"""

import re
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any

from django.contrib.admin import AdminSite
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from unfold.dataclasses import SearchResult

from apps.api_keys.models import ApiKey
from apps.audit.models import Event
from apps.customers.models import Customer
from apps.operators.lists.searches import (
    LONGEST,
    SHORTEST,
    Search,
    by_address,
    by_id,
    by_key,
    by_name,
    by_slug,
)
from apps.tokens.models import Session
from apps.users.models import User

MOST_OF_A_KIND = 5
MOST = 30  # five kinds, and where each has more, the way to all of them
REQUEST_ID = re.compile(r"[\x21-\x7e]{8,64}")


def find(site: AdminSite, request: HttpRequest, text: str) -> list[SearchResult]:
    """At most MOST results, the likeliest kinds first."""
    text = text.strip()
    if not SHORTEST <= len(text) <= LONGEST or "\x00" in text:
        return []
    kinds = (_customers, _users, _keys, _sessions, _requests)
    found = chain.from_iterable(kind(_Rows(site, request), text) for kind in kinds)
    return list(islice(found, MOST))


class _Rows:
    """The rows of a model that this operator may see on its page."""

    def __init__(self, site: AdminSite, request: HttpRequest) -> None:
        self._site, self._request = site, request

    def of(self, model: type[Model]) -> QuerySet[Any]:
        page = self._site.get_model_admin(model)
        if not page.has_view_permission(self._request):
            return model._default_manager.none()
        return page.get_queryset(self._request)


def _customers(rows: _Rows, text: str) -> Iterator[SearchResult]:
    found = _found(rows.of(Customer), text, by_name("name"), by_slug, by_id)
    yield from _results(found, text, "apartment", lambda row: (row.name, _("Customer") + f" {row.slug}"))


def _users(rows: _Rows, text: str) -> Iterator[SearchResult]:
    found = _found(rows.of(User).select_related("customer"), text, by_address, by_id)
    yield from _results(found, text, "person", lambda row: (row.email, _("User") + f" · {row.customer.name}"))


def _keys(rows: _Rows, text: str) -> Iterator[SearchResult]:
    """By the key id, also from a whole key that somebody pasted: its secret part is not looked at."""
    found = _found(rows.of(ApiKey).select_related("customer"), text, by_key)
    yield from _results(
        found, text, "key", lambda row: (f"{row.name} ({row.key_id})", _("API key") + f" · {row.customer.name}")
    )


def _sessions(rows: _Rows, text: str) -> Iterator[SearchResult]:
    found = _found(rows.of(Session).select_related("user", "customer"), text, by_id)
    yield from _results(found, text, "devices", lambda row: (row.user.email, _("Session") + f" · {row.customer.name}"))


def _requests(rows: _Rows, text: str) -> Iterator[SearchResult]:
    """One result for all events of a request: their list."""
    if REQUEST_ID.fullmatch(text) and rows.of(Event).filter(request_id=text).exists():
        address = reverse("admin:audit_event_changelist", query={"request_id": text})
        yield SearchResult(title=text, description=_("Request"), link=address, icon="history")


def _found(queryset: QuerySet[Any], text: str, *ways: Search) -> list[QuerySet[Any]]:
    """What each way finds: one statement each, since together they would have to be sorted."""
    return [queryset.filter(condition) for way in ways if (condition := way(text)) is not None]


def _results(
    querysets: list[QuerySet[Any]], text: str, icon: str, words: Callable[[Any], tuple[str, str]]
) -> Iterator[SearchResult]:
    found = {row.pk: row for rows in querysets for row in rows.order_by()[: MOST_OF_A_KIND + 1]}
    for row in islice(found.values(), MOST_OF_A_KIND):
        title, description = words(row)
        opts = row._meta
        link = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk])
        yield SearchResult(title=title, description=description, link=link, icon=icon)
    if len(found) > MOST_OF_A_KIND:
        yield _more(querysets[0].model._meta, text)


def _more(opts: Any, text: str) -> SearchResult:
    """A list that ends without a word looks complete."""
    link = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist", query={"q": text})
    return SearchResult(title=_("There are more"), description=str(opts.verbose_name_plural), link=link, icon="list")
