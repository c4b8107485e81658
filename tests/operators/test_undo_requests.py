"""What an operator did to several rows at once is undone at once: by one link, one question, and each row as a whole."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from apps.alerts.models import Alert, AlertKind, AlertRule
from apps.audit.models import Event
from apps.customers import lifecycle
from apps.customers.models import Customer
from apps.operators.changes import undo_requests
from apps.operators.models import RoleName
from apps.operators.team import roles
from tests import browser as real_browser
from tests import factories, races
from tests.operators import looking
from tests.operators.limiting import with_role
from tests.operators.pages.customer_form import page_of, save_limits
from tests.operators.signing_in import PASSWORD, operator, sign_in, signed_in
from tests.operators.test_undo import newest, proven_long_ago

pytestmark = pytest.mark.django_db(transaction=True)
ACTOR, REQUEST = "operator:ops@example.com", "0123456789abcdef"
PAGE = f"/admin/audit/event/of-request/{REQUEST}/undo/"
DEFAULT = 6  # digits of a code


def lengthen_codes(*customers: Customer, request_id: str = REQUEST, actor: str = ACTOR) -> None:
    """As one request of an operator does it to several."""
    for customer in customers:
        context = factories.context(actor, request_id=request_id)
        lifecycle.update_policy(customer=customer, changes={"code_length": 8}, context=context)


def lengths(*customers: Customer) -> list[int]:
    return [Customer.objects.get(id=customer.id).code_length for customer in customers]


def raised(*customers: Customer) -> list[Alert]:
    rule = AlertRule.objects.create(kind=AlertKind.SECURITY, threshold=1)
    facts = {"rule": rule, "kind": rule.kind, "threshold": 1, "value": 7, "since": timezone.now()}
    now = timezone.now()
    return [
        Alert.objects.create(customer_id=each.id, customer_name=each.name, raised_at=now, **facts) for each in customers
    ]


def offered(page: str) -> str:
    """Where the message's link leads."""
    found = re.search(r'(/admin/audit/event/of-request/\w+/undo/)">(?:Undo all|Alles zurücknehmen)</a>', page)
    assert found, page
    return found[1]


def undone() -> int:
    return Event.objects.filter(action="change_undone").count()


def said(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_what_an_action_did_to_many_rows_is_undone_by_one_link(browser: Client) -> None:
    alerts = raised(factories.customer(), factories.customer())
    selected = {"_selected_action": [str(alert.id) for alert in alerts], "confirmed": "yes"}
    done = browser.post("/admin/alerts/alert/", {"action": "acknowledge_selected", **selected}, follow=True)
    link = offered(done.content.decode())
    asked = browser.get(link)
    assert "Undo 2 changes?" in asked.content.decode()
    assert not Alert.objects.filter(acknowledged_at=None).exists(), "asking changes nothing"
    assert said(browser.post(link, follow=True)) == ["2 changes undone."]
    assert set(Alert.objects.values_list("acknowledged_at", "acknowledged_by")) == {(None, "")}
    assert undone() == 2
    german = browser.get(link, headers={"accept-language": "de"}, follow=True)
    assert "Hier gibt es nichts zurückzunehmen" in german.content.decode()


def test_a_form_that_changed_several_things_offers_it_too(browser: Client) -> None:
    customer = factories.customer()
    save_limits(browser, customer, codes_per_email_count=7, codes_per_ip_count=30)
    link = offered(browser.get(page_of(customer, "policy"), headers={"accept-language": "de"}).content.decode())
    asked = browser.get(link, headers={"accept-language": "de"}).content.decode()
    assert "2 Änderungen zurücknehmen?" in asked
    browser.post(link)
    assert not customer.limit_overrides.exists()


def test_an_alert_is_not_taken_back_when_another_was_raised_since(browser: Client) -> None:
    customer = factories.customer()
    (alert,) = raised(customer)
    browser.post(f"/admin/alerts/alert/{alert.id}/acknowledge/")
    Alert.objects.update(over_at=timezone.now())
    Alert.objects.create(
        rule=alert.rule, customer_id=customer.id, kind=alert.kind, threshold=1, value=9, since=alert.since,
        raised_at=timezone.now(),
    )  # fmt: skip
    refused = browser.post(f"/admin/audit/event/{newest('alert_acknowledged').id}/undo/", follow=True)
    assert "changed since" in refused.content.decode()
    assert Alert.objects.filter(acknowledged_at=None).count() == 1


def test_rows_of_other_customers_stay_as_they_are() -> None:
    """Whoever is limited meanwhile undoes what is of the customers that are left, and reads of no other."""
    mine, others = factories.customer(name="Acme"), factories.customer(name="Umbrella")
    lengthen_codes(mine, others)
    limited = signed_in(with_role(RoleName.ADMINISTRATOR, mine, name="ops@example.com"))
    asked = limited.get(PAGE).content.decode()
    assert ("Acme" in asked, "Umbrella" in asked) == (True, False)
    limited.post(PAGE)
    assert lengths(mine, others) == [DEFAULT, 8]
    assert undone() == 1
    roles.assign(User.objects.get(), RoleName.ADMINISTRATOR, [])
    nobody = signed_in(User.objects.get())
    assert "nothing to undo" in nobody.post(PAGE, follow=True).content.decode()
    assert lengths(mine, others) == [DEFAULT, 8]


def test_nobody_undoes_at_once_what_another_did(browser: Client) -> None:
    """Nor what a user or a key did under the same request id, which a client may choose."""
    customers = [factories.customer() for _ in range(3)]
    for customer, actor in zip(customers, ("operator:boss@example.com", "system", f"user:{REQUEST}"), strict=True):
        lengthen_codes(customer, actor=actor)
    assert "nothing to undo" in browser.post(PAGE, follow=True).content.decode()
    assert lengths(*customers) == [8, 8, 8]


@pytest.mark.parametrize("role", [RoleName.SUPPORT, RoleName.AUDITOR])
def test_who_may_not_change_it_any_more_undoes_nothing(role: RoleName) -> None:
    customer = factories.customer()
    lengthen_codes(customer)
    clerk = signed_in(with_role(role, name="ops@example.com", unlimited=True))
    for send in (clerk.get, clerk.post):
        assert send(PAGE).status_code in (302, 403)
    assert lengths(customer) == [8]


def test_what_was_changed_since_stays_and_is_named(browser: Client) -> None:
    left, changed = factories.customer(name="Acme"), factories.customer(name="Umbrella")
    lengthen_codes(left, changed)
    factories.policy(changed, code_length=7)
    answer = browser.post(PAGE, follow=True)
    first, second = said(answer)
    assert first == "1 change undone."
    assert second.startswith("Umbrella: This has been changed since")
    assert lengths(left, changed) == [DEFAULT, 7]
    assert undone() == 1


def test_it_is_undone_once_however_often_it_is_sent(browser: Client) -> None:
    customers = [factories.customer() for _ in range(3)]
    lengthen_codes(*customers)
    cookies = browser.cookies

    def press(_number: int) -> None:
        tab = Client()
        tab.cookies = cookies
        tab.post(PAGE)

    races.at_once(4, press)
    assert undone() == 3
    assert lengths(*customers) == [DEFAULT] * 3
    assert "nothing to undo" in browser.post(PAGE, follow=True).content.decode()
    assert undone() == 3


def test_two_changes_of_one_thing_go_back_to_the_first(browser: Client) -> None:
    customer = factories.customer()
    lengthen_codes(customer)
    context = factories.context(ACTOR, request_id=REQUEST)
    lifecycle.update_policy(customer=customer, changes={"code_length": 7}, context=context)
    browser.post(PAGE)
    assert lengths(customer) == [DEFAULT]


def test_one_grave_change_makes_the_question_grave(browser: Client) -> None:
    """An undo of many is no way around the proof either."""
    plain, grave = factories.customer(name="Acme"), factories.customer(name="Umbrella", access_lifetime=3600)
    lengthen_codes(plain)
    context = factories.context(ACTOR, request_id=REQUEST)
    lifecycle.update_policy(customer=grave, changes={"access_lifetime": 86400}, context=context)
    proven_long_ago(browser)
    asked = browser.post(PAGE)
    assert asked.context["proof"] is not None
    assert asked.context["is_grave"]
    assert next(number.label for number in asked.context["numbers"]).startswith("Umbrella: ")
    assert lengths(plain) == [8], "none of them"
    assert browser.post(PAGE, {"proof": PASSWORD}).status_code == 302
    assert lengths(plain) == [DEFAULT]
    assert Customer.objects.get(id=grave.id).access_lifetime == 3600


@pytest.mark.parametrize("request_id", ["x", "-", "a" * 200, "%00", "..%2f..", "0123456789abcdeg"])
def test_an_unknown_request_leads_to_the_list(browser: Client, request_id: str) -> None:
    lengthen_codes(factories.customer())
    answer = browser.post(f"/admin/audit/event/of-request/{request_id}/undo/")
    assert answer.status_code in (302, 400, 404)
    assert not undone()


def test_no_request_is_everybodys() -> None:
    """Events without a request id are of tasks and commands."""
    lengthen_codes(factories.customer(), request_id="")
    assert list(undo_requests.changes_of(Event.objects.all(), "", ACTOR)) == []


def test_by_keyboard(live_server: object) -> None:
    operator()
    url, customer = live_server.url, factories.customer()  # type: ignore[attr-defined]
    save_limits(sign_in(), customer, codes_per_email_count=7, codes_per_ip_count=30)
    with real_browser.kept_page() as page:
        looking.enter(page, url, page_of(customer, "policy"))
        page.locator("[name=codes_per_email_count]").fill("8")
        page.locator("[name=codes_per_ip_count]").fill("31")
        page.keyboard.press("Enter")
        link = page.get_by_role("link", name="Undo all")
        link.wait_for()
        link.focus()
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Undo 2 changes?").wait_for()
        faults = looking.faults(page, "undo-all", within="#content")
        page.get_by_role("button", name="Undo all").focus()
        page.keyboard.press("Enter")
        page.get_by_text("2 changes undone.").wait_for()
    assert dict(customer.limit_overrides.values_list("name", "count")) == {"codes_per_email": 7, "codes_per_ip": 30}
    assert not faults, "\n".join(faults)
