"""Every page of the admin that an operator opens, found from the site: lists, their filters, searches and next pages, choices, rows.

A filter or a search that this file has no value for is named as an error: so a new one is measured from its first day.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.test import Client, RequestFactory

from benchmarks.admin.samples import Samples

NEXT = re.compile(r'href="(\?[^"]*after=[^"]*)"')


@dataclass(frozen=True)
class Visit:
    """One page, and how it is asked for."""

    name: str
    ask: Callable[[Client], Any]


def get(name: str, path: str, **query: object) -> Visit:
    address = f"{path}?{urlencode(query)}" if query else path
    return Visit(name, lambda browser: browser.get(address, secure=True))


def every(browser: Client, operator: Any, samples: Samples) -> Iterator[Visit]:
    """`browser`: in which the operator is signed in; it finds the next pages of lists."""
    request = RequestFactory().get("/admin/")
    request.user = operator
    yield from _of_the_site(samples)
    models = filter(admin.site.is_registered, apps.get_models())
    for page in sorted(map(admin.site.get_model_admin, models), key=lambda page: page.opts.label):
        if page.has_view_permission(request):
            yield from _of_a_page(browser, request, page, samples)


def _of_the_site(samples: Samples) -> Iterator[Visit]:
    for days in (1, 7, 30):
        yield get(f"overview, {days} days", "/admin/", days=days)
        yield get(f"overview, {days} days, a customer", "/admin/", days=days, customer=samples.customer.id)
    for what, text in samples.sought().items():
        yield get(f"Ctrl-K: {what}", "/admin/search/", s=text)
    yield get("why refused: an address", "/admin/why-refused/", email=samples.refused)
    yield get("why refused: a stranger", "/admin/why-refused/", email="nobody@example.com")
    yield get("why refused: an event", "/admin/why-refused/", event=samples.refusal.pk)
    yield get("why refused: a user", "/admin/why-refused/", user=samples.user.id)
    yield Visit("audit: export begins (CSV)", partial(_export, kind="csv"))
    yield Visit(
        "audit: export of a customer begins (JSON)", partial(_export, kind="jsonl", customer=samples.customer.slug)
    )


def _export(browser: Client, *, kind: str, **query: str) -> Any:
    return browser.post(f"/admin/audit/event/export/?{urlencode(query)}", {"format": kind}, secure=True)


def _of_a_page(browser: Client, request: Any, page: Any, samples: Samples) -> Iterator[Visit]:
    place = f"/admin/{page.opts.app_label}/{page.opts.model_name}/"
    name = f"{page.opts.app_label}.{page.opts.model_name}"
    yield get(name, place)
    yield from _next_page(browser, name, place, "")
    for order in _orders(page):
        yield get(f"{name} by column {order}", place, o=order)
        yield from _next_page(browser, f"{name} by column {order}", place, f"?o={order}")
    for query in _filters(request, page, samples):
        yield Visit(f"{name} {query}"[:110], lambda browser, query=query: browser.get(place + query, secure=True))
        yield from _next_page(browser, f"{name} {query}"[:110], place, query)
    for what, text in samples.sought().items() if page.get_search_fields(request) else ():
        yield get(f"{name} search: {what}", place, **{SEARCH_VAR: text})
    row = page.get_queryset(request).order_by(*page.ordering).first() if page.ordering else page.model.objects.first()
    if row is not None:
        yield get(f"{name}: a row", f"{place}{row.pk}/change/")
    yield from _choices(request, page, samples)


def _orders(page: Any) -> list[str]:
    columns = [page.list_display.index(column) + 1 for column in page.sortable_by if column in page.list_display]
    return [sign + str(number) for number in columns for sign in ("", "-")]


def _next_page(browser: Client, name: str, place: str, query: str) -> Iterator[Visit]:
    found = NEXT.search(browser.get(place + query, secure=True).content.decode())
    if found:
        address = place + found[1].replace("&amp;", "&")
        yield Visit(f"{name}, next page"[:120], lambda browser: browser.get(address, secure=True))


def _filters(request: Any, page: Any, samples: Samples) -> Iterator[str]:
    """The query of each choice of each filter; for filters to fill in, of a value."""
    for spec in page.get_changelist_instance(request).filter_specs:
        names = [name for name in spec.expected_parameters() if not name.endswith(("__isnull", "__in"))]
        choices = [] if hasattr(spec, "form_class") else list(spec.choices(page.get_changelist_instance(request)))
        chosen = [choice["query_string"] for choice in choices if choice.get("query_string", "?") != "?"]
        if chosen:
            yield from chosen
        else:
            yield from ("?" + urlencode({names[0]: value}) for value in samples.of_filter(names[0]))


def _choices(request: Any, page: Any, samples: Samples) -> Iterator[Visit]:
    """What a choice finds as one types: nothing yet, a beginning, a whole word, and nothing at all."""
    for field in page.get_autocomplete_fields(request):
        of = {"app_label": page.opts.app_label, "model_name": page.opts.model_name, "field_name": field}
        for what, term in {"all": "", **samples.begun()}.items():
            yield get(f"{page.opts.label_lower}.{field} choices: {what}", "/admin/autocomplete/", **of, term=term)
