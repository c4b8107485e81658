"""Audit events are read as sentences, found by what an operator knows, and taken along as files. Nobody changes them."""

import csv
import io
import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from apps.audit import actions, events, refusals, steps
from apps.audit.models import Event, Outcome, Refusal, Severity
from apps.audit.refusals import NewRefusal
from apps.core import actors
from apps.customers import lifecycle
from apps.customers.models import Customer
from apps.operators.models import RoleName
from apps.operators.pages.audit import event_export
from tests import factories
from tests.operators.limiting import give, with_role
from tests.operators.signing_in import signed_in
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/audit/event/"
HOUR = 3600


def listed(browser: Client, **query: str) -> list[str]:
    """The ids of the events of a page, in their order."""
    response = browser.get(f"{LIST}?{urlencode(query)}")
    assert response.status_code == 200, response
    return [str(event.id) for event in response.context["cl"].result_list]


def written(**facts: Any) -> Event:
    """An event like this, the newest."""
    where = {name: facts.pop(name) for name in ("ip", "request_id", "now") if name in facts}
    context = factories.context(facts.pop("actor", "system"), **where)
    events.record(action=facts.pop("action", actions.SIGN_IN), context=context, **facts)
    return Event.objects.latest("id")


def limited(*permissions: str) -> Client:
    """A browser of somebody who may do only this."""
    someone = User.objects.create_user("some@example.com", password="a long pass phrase 1", is_staff=True)
    names = [permission.partition(".")[2] for permission in permissions]
    give(someone, Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(someone)
    return client


def export(browser: Client, kind: str, **query: str) -> bytes:
    response = browser.post(f"{LIST}export/?{urlencode(query)}", {"format": kind})
    assert response.status_code == 200
    stream: Iterable[bytes] = response.streaming_content  # type: ignore[attr-defined]
    return b"".join(stream)


def test_audit_events_cannot_be_changed_by_anybody(browser: Client) -> None:
    factories.customer()
    event = Event.objects.all()[0]
    assert browser.get(f"/admin/audit/event/{event.id}/change/").status_code == 200
    assert browser.post(f"/admin/audit/event/{event.id}/change/", {"action": "x"}).status_code == 403
    assert browser.post(f"/admin/audit/event/{event.id}/delete/", {"post": "yes"}).status_code == 403
    assert browser.get("/admin/audit/event/add/").status_code == 403


def test_a_change_reads_as_a_sentence_with_names_and_links(browser: Client) -> None:
    customer = factories.customer(name="Acme <Ltd>")
    changes = {"access_lifetime": HOUR}
    context = factories.context(actors.operator("ops@example.com"))
    lifecycle.update_policy(customer=customer, changes=changes, context=context)
    page = browser.get(LIST).content.decode()
    assert ">ops@example.com</a> shortened the access lifetime of <a" in page
    assert "Acme &lt;Ltd&gt;</a> from 7\u00a0h to 1\u00a0h" in page
    assert f"/admin/customers/customer/{customer.id}/change/" in page
    event = Event.objects.get(action=actions.POLICY_CHANGED)
    of_event = browser.get(f"{LIST}{event.id}/change/").content.decode()
    assert "access lifetime: 7\u00a0h → 1\u00a0h" in of_event
    assert f"{event.at:%Y-%m-%d %H:%M:%S} UTC" in of_event


def test_names_are_told_only_to_those_who_may_see_the_rows() -> None:
    customer = factories.customer(name="Acme Ltd")
    user = factories.user(customer, "ada@example.com")
    written(customer_id=customer.id, user_id=user.id, actor=actors.user(user.id))
    page = limited("audit.view_event").get(LIST).content.decode()
    assert str(user.id) in page
    assert "ada@example.com" not in page
    assert "Acme Ltd" not in page


def test_events_are_found_by_what_is_known(browser: Client) -> None:
    mine, other = factories.customer(slug="acme"), factories.customer()
    now = timezone.now()
    event = written(
        customer_id=mine.id,
        ip="198.51.100.7",
        request_id="req-1",
        actor=actors.operator("grace@example.com"),
        action=actions.CUSTOMER_SUSPENDED,
        outcome=Outcome.DENIED,
        severity=Severity.HIGH,
        now=now - timedelta(days=3),
    )
    written(customer_id=other.id, ip="203.0.113.9", request_id="req-2", now=now)
    day = f"{event.at:%Y-%m-%d}"
    for query in (
        {"customer": "acme", "action": actions.CUSTOMER_SUSPENDED},
        {"customer": str(mine.id), "action": actions.CUSTOMER_SUSPENDED},
        {"customer": mine.name, "outcome": "denied"},
        {"customer_id": str(mine.id), "severity": "high"},
        {"since": day, "until": day},
        {"until": f"{event.at:%Y-%m-%dT%H:%M}"},
        {"ip": "198.51.100.7"},
        {"ip": "198.51.100.0/24"},
        {"request_id": "req-1"},
        {"who": "grace@example.com"},
        {"who": "operator:grace@example.com"},
    ):
        assert listed(browser, **query) == [str(event.id)], query
    assert listed(browser, customer="nobody") == []


@pytest.mark.parametrize(
    "query",
    [
        {"since": "yesterday"},
        {"until": "2026-13-01"},
        {"ip": "300.1.1.1"},
        {"ip": "2001:db8::/200"},
        {"address": "no address"},
        {"customer": "\0"},
        {"request_id": "\0"},
    ],
)
def test_a_wrong_filter_is_no_server_error(browser: Client, query: dict[str, str]) -> None:
    assert browser.get(f"{LIST}?{urlencode(query)}", follow=True).status_code in (200, 400)


def test_an_address_finds_its_users_events_and_its_refusals_whatever_its_case(browser: Client) -> None:
    customer = factories.customer()
    user = factories.user(customer, "ada@example.com")
    signed_in = written(customer_id=customer.id, user_id=user.id, now=timezone.now() - timedelta(hours=1))
    refused = NewRefusal(
        rule="unknown_user",
        step=steps.ASK_FOR_CODE,
        context=factories.context(),
        customer_id=customer.id,
        address="ada@example.com",
    )
    refusals.record(refused)
    of_refusal = Refusal.objects.get().event_id
    written(customer_id=customer.id, user_id=factories.user(customer, "bob@example.com").id)
    assert listed(browser, address="Ada@Example.com") == [str(of_refusal), str(signed_in.id)]
    assert listed(browser, address="eve@example.com") == []


def test_a_users_timeline_and_a_customers_are_one_click_away(browser: Client) -> None:
    customer = factories.customer()
    user = factories.user(customer)
    event = written(customer_id=customer.id, user_id=user.id)
    for page in (f"users/user/{user.id}", f"customers/customer/{customer.id}"):
        response = browser.get(f"/admin/{page}/history/", follow=True)
        assert str(event.id) in [str(each.id) for each in response.context["cl"].result_list]
    query = browser.get(f"/admin/users/user/{user.id}/history/")["Location"]
    assert f"user_id={user.id}" in query
    assert f"customer_id={customer.id}" in query  # the first column of the index


def test_the_queries_of_a_page_do_not_grow_with_its_rows(browser: Client) -> None:
    customer = factories.customer()
    user = factories.user(customer)
    for _ in range(26):  # more than a page, so that rows are counted
        written(customer_id=customer.id, user_id=user.id)
    browser.get(LIST)
    with counted() as few:
        browser.get(LIST)
    for number in range(20):
        owner = factories.customer()
        written(customer_id=owner.id, user_id=factories.user(owner, f"u{number}@example.com").id)
    with counted() as many:
        response = browser.get(LIST)
    assert len(many.statements) <= len(few.statements)
    assert len(response.content) < 200 * 1024


def test_an_export_holds_what_the_list_holds_and_is_an_event_itself(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_export, "BATCH", 2)
    customer, other = factories.customer(name="Acme"), factories.customer()
    now = timezone.now()
    wanted = [written(customer_id=customer.id, now=now, request_id=f"r{number}") for number in range(5)]  # at one time
    written(customer_id=other.id)
    query = {"customer": customer.slug, "action": actions.SIGN_IN}
    lines = [json.loads(line) for line in export(browser, "jsonl", **query).splitlines()]
    assert [line["id"] for line in lines] == sorted((str(event.id) for event in wanted), reverse=True)
    assert lines[0]["sentence"] == "Gatehouse signed in (not known)"
    assert lines[0]["at"].endswith("+00:00")
    recorded = Event.objects.get(action=actions.AUDIT_EXPORTED)
    assert recorded.actor == "operator:ops@example.com"
    assert recorded.details == {"format": "jsonl", "filters": query}


def test_the_event_of_an_export_does_not_name_the_address(browser: Client) -> None:
    factories.user(factories.customer(), "ada@example.com")
    export(browser, "csv", address="ada@example.com")
    assert "ada@" not in str(Event.objects.get(action=actions.AUDIT_EXPORTED).details)


def test_no_cell_of_a_csv_is_a_formula(browser: Client) -> None:
    written(actor='=HYPERLINK("http://evil")', details={"name": "@x"}, action=actions.OPERATOR_CHANGED, request_id="+1")
    context = factories.context()
    evil = type(context)(now=timezone.now(), user_agent="-2+3", request_id="\t=1", ip="192.0.2.1")
    events.record(action=actions.LOGOUT, context=evil)
    text = export(browser, "csv").decode()
    assert text.startswith("\ufeffat,id,action,sentence")
    rows = list(csv.reader(io.StringIO(text[1:])))
    assert len(rows) == Event.objects.count()  # the head, and all but the event of the export itself
    assert not [cell for row in rows[1:] for cell in row if cell.startswith(event_export.FORMULA)]
    assert "'-2+3" in rows[1]


@pytest.mark.parametrize("value", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", " =1", "\uff1d1"])
def test_what_spreadsheets_would_run_is_defused(value: str) -> None:
    assert event_export.harmless(value) == f"'{value}"


def test_an_export_needs_its_right_and_a_post() -> None:
    written()
    looking = limited("audit.view_event")
    assert looking.get(LIST).status_code == 200
    assert "event-filters" in looking.get(LIST).content.decode()
    assert f"{LIST}export/" not in looking.get(LIST).content.decode()
    assert looking.post(f"{LIST}export/", {"format": "csv"}).status_code == 403
    assert not Event.objects.filter(action=actions.AUDIT_EXPORTED).exists()


def test_an_export_is_no_link_and_of_no_other_format(browser: Client) -> None:
    assert browser.get(f"{LIST}export/?format=csv").status_code == 405
    assert browser.post(f"{LIST}export/", {"format": "xlsx"}).status_code == 400


def test_an_export_reads_in_the_operators_language(browser: Client) -> None:
    context = factories.context(actors.operator("ops@example.com"))
    lifecycle.suspend(Customer.objects.get(id=factories.customer(name="Acme").id), context=context)
    response = browser.post(f"{LIST}export/", {"format": "jsonl"}, headers={"accept-language": "de"})
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert "ops@example.com hat Acme gesperrt" in text


def test_an_operator_limited_to_a_customer_takes_along_nothing_of_others() -> None:
    mine, other = factories.customer(), factories.customer()
    text = export(signed_in(with_role(RoleName.AUDITOR, mine)), "jsonl").decode()
    assert str(mine.id) in text
    assert str(other.id) not in text
