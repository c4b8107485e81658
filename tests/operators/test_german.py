"""The admin speaks German to those who read German: every word of every page is one of a German text, or stands for itself.

The words that count as German are those of the translations: ours, Django's and unfold's. So a text that nobody has translated
is found by its words, wherever it comes from, and in the middle of a German sentence, too.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import trans_real

from apps.api_keys.models import ApiKey
from apps.audit import actions
from apps.audit.models import Event
from apps.core import actors
from apps.customers import lifecycle
from apps.customers.models import Customer
from apps.users.models import User, UserStatus
from tests import factories
from tests.conftest import MakeClient
from tests.operators import furnished
from tests.operators.pages.customer_form import path_of, slug_of
from tests.operators.reading import words_of
from tests.operators.saving import VERSION
from tests.operators.signing_in import operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
WORD = re.compile(r"[^\W\d_]\w+")
# Addresses, ids, keys and what is written with digits are the same in every language.
MACHINES = re.compile(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}|\S+@\S+|[\w*-]+:/\S*|ghk_\S*|[\w-]{20,}|\S*\d\S*|(?:\w+/\w+ ?)+")
# What people have called their own, in `furnished`, and what a mail to an English user looks like.
DATA = (
    *("Analytical Engines", "analytical-engines", "Northern Harbour", "northern-harbour", "Back office", "Office"),
    *("Phone of Ada", "Ada Lovelace", "Test key", "Default", "default"),
    *("bookkeeper", "invoices.read", "invoices.write"),
    *("is your code for", "“nobody”", "„nobody“"),
)
# Names that are so in German, too: of keys and products, of built-in roles, of scopes of keys and of OpenID Connect.
NAMES = (
    *("System", "esc", "Ctrl", "Firefox", "Linux", "English", "EdDSA", "Support"),
    *("admin", "company_user", "auth", "internal", "tokens:introspect", "tokens:revoke", "users:read", "users:write"),
    *("openid", "profile", "offline_access"),
)
GERMAN = {"Accept-Language": "de"}
LEFT_ALONE = "/admin/sessions/"  # its button ends the session that looks


def test_every_word_of_every_page_is_german(client_for: MakeClient) -> None:
    """As it is opened; when its form comes back empty, and so is refused or done; and in the states that take some doing.

    Of those pages, too, that people see who are not signed in.
    """
    operator()
    user = furnished.furnish(client_for)
    outside = _seen_by_strangers(user.customer)
    browser = sign_in()
    opened = dict(_opened(browser, (path for _name, path in furnished.places(user))))
    assert len(opened) > 140
    sent = dict(_sent_empty(browser, opened))
    assert len(sent) > 100
    rare = dict(_rare(browser, user))
    pages = {**outside, **opened, **sent, **rare}
    keys = {key_id.lower() for key_id in ApiKey.objects.values_list("key_id", flat=True)}
    faults = {fault for place, page in pages.items() for fault in _faults(place, page, keys)}
    assert not faults, "\n".join(sorted(faults))


def test_an_untranslated_word_is_found() -> None:
    """In a sentence, on a button, and where only a screen reader says it."""
    for page in (
        "<p>Das ist ein workbench.</p>",
        '<input type="submit" value="Workbench">',
        '<a aria-label="Workbench">',
    ):
        assert list(_faults("here", f"<html><body>{page}"))
    assert not list(_faults("here", "<html><body><p>Die Sitzung endet.</p>"))


def _seen_by_strangers(customer: Customer) -> dict[str, str]:
    stranger = Client()
    front = ["/", "/admin/login/", "/admin/forgotten-password/", "/admin/new-password/?link=x"]
    hosted = [
        f"/sign-in/{customer.slug}",
        f"/sign-in/{customer.slug}/register",
        "/sign-in/nobody",
        f"/account/{customer.slug}/forgot-password",
    ]
    opened = dict(_opened(stranger, [*front, *hosted]))
    assert len(opened) >= len([*front, *hosted]) - 1
    pages = {**opened, **dict(_sent_empty(stranger, opened))}
    return {f"{place}, not signed in": page for place, page in pages.items()}


def _opened(browser: Client, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    for path in paths:
        answer = browser.get(path, headers=GERMAN)
        if not answer.streaming and answer.status_code not in (301, 302) and _is_page(answer):
            yield f"GET {path}", answer.content.decode()
        answer.close()


def _sent_empty(browser: Client, opened: dict[str, str]) -> Iterator[tuple[str, str]]:
    """With the version of the row, as the page's own button would send it. What is done says so on the next page."""
    for place, page in opened.items():
        path = place.removeprefix("GET ")
        if 'method="post"' in page and path != LEFT_ALONE:
            version = VERSION.search(page)
            answer = browser.post(path, {"_version": version[1]} if version else {}, headers=GERMAN, follow=True)
            if _is_page(answer):
                yield f"POST {path}", answer.content.decode()


def _rare(browser: Client, user: User) -> Iterator[tuple[str, str]]:
    """A change that is undone, one that is asked about first, users and customers that are not as they should be."""
    change = Event.objects.filter(action=actions.POLICY_CHANGED).latest("at")
    shorter = {"access_lifetime": "5 min", "refresh_lifetime": "2 h"}
    grave = path_of(user.customer, slug_of("access_lifetime"))
    waiting = [factories.user(user.customer, f"{status}@example.com", status=status) for status in UserStatus.values]
    yield from _opened(browser, [f"/admin/audit/event/{change.pk}/undo/"])
    yield "question", browser.post(grave, shorter, headers=GERMAN, follow=True).content.decode()
    yield from _opened(browser, [reverse("admin:users_user_change", args=[each.pk]) for each in waiting])
    lifecycle.suspend(customer=user.customer, context=factories.context(actors.operator("ops@example.com")))
    row = reverse("admin:customers_customer_change", args=[user.customer_id])
    yield from _opened(browser, [row, row.replace("change", "danger"), row.replace("change", "delete-everything")])


def _is_page(answer: Any) -> bool:
    return bool(answer.headers.get("Content-Type", "").startswith("text/html"))


def _faults(place: str, page: str, known: Collection[str] = ()) -> Iterator[str]:
    for text in words_of(page):
        if unknown := [word for word in _not_german(text) if word.lower() not in known]:
            yield f"{', '.join(unknown)} in {text!r}, {place}"


@cache  # most of a page is on all pages
def _not_german(text: str) -> tuple[str, ...]:
    rest = _without(MACHINES.sub(" ", text), (*DATA, *NAMES))
    return tuple(word for word in WORD.findall(rest) if word.lower() not in _german())


def _without(text: str, parts: Iterable[str]) -> str:
    for part in parts:
        text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", " ", text)
    return text


@cache
def _german() -> frozenset[str]:
    catalogue: Any = trans_real.translation("de")
    texts = [text for each in catalogue._catalog._catalogs for text in each.values() if isinstance(text, str)]
    return frozenset(word.lower() for text in texts for word in WORD.findall(text))
