"""The searches of lists: found exactly or by how it begins, by an index, and nothing of what merely holds the text somewhere."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from apps.core.ids import new_id
from apps.mail.models import Message
from apps.operators.lists import searches
from apps.operators.lists.scaled_lists import ScaledLists
from apps.tokens.models import Session
from tests import factories
from tests.operators.signing_in import operator
from tests.operators.test_scaled_lists import read, shown
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
SITE: Any = admin.site
PAGES = sorted((page for page in SITE._registry.values() if page.searches), key=lambda page: page.opts.label)
TYPED = ("ada@example.com", "ada", "Northern", "s0123456789a", "0193fa2b-7c1d", str(new_id()))


def test_a_user_s_rows_are_found_by_the_whole_address_and_its_id_alone(browser: Client, client_for: Any) -> None:
    """How an address begins may be how a million addresses begin."""
    customer = factories.customer()
    ada, adam = factories.user(customer, "ada@example.com"), factories.user(customer, "adam@example.com")
    mine, other = (factories.session(user).session_id for user in (ada, adam))
    for typed in ("ada@example.com", " ADA@example.com ", str(ada.id), str(mine)):
        assert shown(read(browser, "tokens/session/", f"?q={typed}")) == [str(mine)], typed
    for typed in ("ada", "example.com", str(customer.id)):
        assert shown(read(browser, "tokens/session/", f"?q={typed}")) == [], typed
    assert {str(id_) for id_ in Session.objects.values_list("id", flat=True)} == {str(mine), str(other)}


def test_mails_are_found_by_their_recipient_with_and_without_an_account(browser: Client, client_for: Any) -> None:
    customer = factories.customer()
    factories.user(customer, "ada@example.com")
    for address in ("ada@example.com", "Nobody@example.com", "other@example.com"):
        client_for(customer).request_otp(address)
    for typed in ("ada@example.com", "nobody@EXAMPLE.com"):
        found = Message.objects.get(recipient__iexact=typed)
        assert shown(read(browser, "mail/message/", f"?q={typed}")) == [str(found.id)]


@pytest.mark.parametrize("typed", ["a", "%25", "__", "x" * 3000, "%00%00", "0" * 33, "a@b@c"])
def test_what_names_nothing_finds_nothing(browser: Client, typed: str) -> None:
    factories.user(factories.customer(), "ada@example.com")
    assert browser.get(f"/admin/users/user/?q={typed}").status_code in (200, 302, 400)
    assert shown(read(browser, "users/user/", f"?q={typed.replace('%00', '-')}")) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.opts.label)
def test_every_search_is_answered_by_indexes(page: ScaledLists) -> None:
    """Found from the site. With reading whole tables forbidden, PostgreSQL still does so where no index can answer."""
    request = RequestFactory().get("/")
    request.user = operator()
    factories.user(factories.customer(name="Northern"), "ada@example.com")
    for typed in TYPED:
        with transaction.atomic(), CaptureQueriesContext(connection) as captured:
            list(page.get_search_results(request, page.get_queryset(request), typed)[0])
        plans = [
            plan_of(query["sql"]) for query in captured.captured_queries if query["sql"].startswith(("SELECT", "("))
        ]
        assert [line for plan in plans for line in plan if "Seq Scan" in line] == [], typed


def plan_of(sql: str) -> list[str]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + sql.replace("%", "%%"), [])
        return [line for (line,) in cursor.fetchall()]


def test_a_search_that_finds_very_many_shows_some_of_them(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """And none of another customer, where the list is narrowed to one: the limit comes after the filter."""
    monkeypatch.setattr(searches, "MOST_FOUND", 3)
    one, other = factories.customer(), factories.customer()
    for number in range(5):
        factories.user(other, f"ada-{number}@example.com")
    mine = factories.user(one, "ada-9@example.com")
    assert len(shown(read(browser, "users/user/", "?q=ada-"))) == 3
    assert shown(read(browser, "users/user/", f"?q=ada-&customer__id__exact={one.id}")) == [str(mine.id)]


def test_a_choice_is_looked_up_without_counting_all_rows(browser: Client) -> None:
    customer = factories.customer(name="Acme")
    for number in range(25):
        factories.user(customer, f"ada-{number}@example.com")
    place = "/admin/autocomplete/?app_label=factors&model_name=totp&field_name=user&term="
    for typed, number in (("", 20), ("ada-1", 11), ("nobody", 0), ("\x01", 0)):
        with counted() as cost:
            found = browser.get(place + typed).json()
        assert len(found["results"]) == number, typed
        assert found["pagination"]["more"] is (number == 20)
        assert not [text for text in cost.statements if "COUNT(" in text.upper()]
    assert len(browser.get(f"{place}&page=2").json()["results"]) == 5
