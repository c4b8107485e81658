"""Ctrl-K: one field finds a user, a customer, a key, a session or a request, whole or by how it begins, and by an index."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.audit import actions, events
from apps.customers.models import Customer
from tests import factories
from tests.operators import many_rows
from tests.operators.limiting import give
from tests.operators.signing_in import operator, sign_in
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)


def found(browser: Client, text: str) -> list[str]:
    answer = browser.get("/admin/search/", {"s": text, "extended": "1"})
    assert answer.status_code == 200
    return re.findall(r'href="/admin/([^"]+?)(?:/change/)?"', answer.content.decode())


def test_each_kind_is_found_whole_and_by_how_it_begins(browser: Client) -> None:
    acme = factories.customer(name="Äcme Engines", slug="acme-engines")
    factories.customer(name="Other", slug="other")
    user = factories.user(acme, "Ada.Lovelace@bücher.example")
    factories.user(acme, "other@example.com")
    key, text = factories.api_key(acme)
    session = factories.session(user).session_id
    events.record(action=actions.SIGN_IN, context=factories.context(request_id="req-0123456789abcdef"))
    at_acme, at_user = f"customers/customer/{acme.id}", f"users/user/{user.id}"
    for typed in ("äcme", "ÄCME ENGINES", "acme-e", str(acme.id), acme.id.hex[:30]):
        assert found(browser, typed) == [at_acme], typed
    for typed in ("ada.l", "Ada.Lovelace@bücher.example", "ada.lovelace@xn--bcher-kva.example", str(user.id)):
        assert found(browser, typed) == [at_user], typed
    for typed in (key.key_id, key.key_id[:8], f"ghk_live_{key.key_id}", text):
        assert found(browser, typed) == [f"api_keys/apikey/{key.id}"], typed
    assert found(browser, str(session)) == [f"tokens/session/{session}"]
    assert found(browser, "req-0123456789abcdef") == ["audit/event/?request_id=req-0123456789abcdef"]


@pytest.mark.parametrize(
    "text", ["", "a", "%", "%%", "__", "\x00\x00", "x" * 3000, "zzzz", "0" * 33, "ada%", "@", "a@b@c", "'\"<"]
)
def test_what_names_nothing_finds_nothing(browser: Client, text: str) -> None:
    factories.user(factories.customer(name="Acme"))
    assert found(browser, text) == []


def test_operators_find_what_they_may_see(browser: Client) -> None:
    acme = factories.customer(name="Acme", slug="acme")
    user = factories.user(acme, "acme@example.com")
    give(
        operator("limited@example.com", is_superuser=False),
        Permission.objects.filter(codename="view_user", content_type__app_label="users"),
    )
    assert found(sign_in("limited@example.com"), "acme") == [f"users/user/{user.id}"]
    operator("nobody@example.com", is_superuser=False)
    assert found(sign_in("nobody@example.com"), "acme") == []
    assert Client().get("/admin/search/", {"s": "acme"}).status_code == 302


def test_what_is_left_out_is_said_and_one_click_away(browser: Client) -> None:
    acme = factories.customer(name="Acme", slug="acme")
    for number in range(5):
        factories.user(acme, f"ada{number}@example.com")
    assert len(found(browser, "ada")) == 5
    factories.user(acme, "ada5@example.com")
    *first, last = found(browser, "ada")
    assert len(first) == 5
    assert last == "users/user/?q=ada"
    assert len(browser.get(f"/admin/{last}").context["cl"].result_list) == 6


def test_each_is_found_by_an_index(browser: Client) -> None:
    """Without sequential scans, which PostgreSQL prefers only since the tables of a test are small."""
    many_rows.make(Customer, 30)
    with CaptureQueriesContext(connection) as queries, counted() as cost:
        for text in ("ada.lovelace@example.com", "01900000-0000-7000-8000-00000000dead"):
            found(browser, text)
    asked = [
        query["sql"]
        for query in queries
        if re.search("LIKE|>=|request_id", query["sql"]) and "operatorsession" not in query["sql"]
    ]
    assert len(asked) >= 8
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        for text in asked:
            cursor.execute("EXPLAIN " + text)
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan" not in plan or "audit_event" in plan, plan
            assert "Index Cond" in plan or "audit_event" in plan, plan
        cursor.execute("RESET enable_seqscan")
    assert cost.statements
