"""A change is undone from its event: it says what, refuses what was changed since, asks for grave ones, and is an event."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission as Right
from django.db import transaction
from django.test import Client
from django.utils import timezone

from apps.accounts import deactivation
from apps.alerts import watching
from apps.alerts.models import Alert, AlertKind, AlertRule
from apps.audit.models import Event
from apps.customers import lifecycle
from apps.customers.models import Customer
from apps.oauth import clients
from apps.operators.changes import undo
from apps.operators.sign_in import step_up
from apps.users import lifecycle as users
from apps.users import permission_names, roles
from tests import factories, races
from tests.operators.limiting import give
from tests.operators.pages.customer_form import save
from tests.operators.signing_in import PASSWORD, operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
WHO = "operator:o@x"


def newest(*actions: str) -> Event:
    found = Event.objects.filter(action__in=actions or undo.KINDS).order_by("at", "id").last()
    assert found
    return found


def page_of(event: Event) -> str:
    return f"/admin/audit/event/{event.id}/undo/"


def policy() -> str:
    factories.policy(factories.customer(), code_length=8, reply_to="help@example.com")
    return "code_length: from 8 back to 6."


def limit_set() -> str:
    factories.limit(factories.customer(), "codes_per_email", 7)
    return "count: from 7 back to 5."


def limit_restored() -> str:
    customer = factories.customer()
    factories.limit(customer, "codes_per_email", 7)
    lifecycle.restore_limit(customer=customer, name="codes_per_email", context=factories.context(WHO))
    return "count: from 5 back to 7."


def allowlist() -> str:
    customer = factories.customer()
    networks = {"192.0.2.0/24": "office"}
    lifecycle.replace_allowlist(customer=customer, networks=networks, context=factories.context(WHO))
    return "networks: from 192.0.2.0/24 back to nothing."


def suspended() -> str:
    lifecycle.suspend(factories.customer(), context=factories.context(WHO))
    return "status: from suspended back to active."


def role_of_user() -> str:
    users.change(factories.user(factories.customer()), changes={"role": "admin"}, context=factories.context(WHO))
    return "role: from admin back to company_user."


def deactivated() -> str:
    customer = factories.customer(demands_verified_email=False)
    deactivation.deactivate(factories.user(customer), context=factories.context(WHO))
    return "status: from deactivated back to active."


def role() -> str:
    row = factories.role(factories.customer(), "auditor", "a.b")
    roles.change(row, permissions=[], description="none", context=factories.context(WHO))
    return "permissions: from nothing back to a.b."


def permission() -> str:
    row = factories.permission(factories.customer(), "a.b")
    permission_names.describe(row, description="new", context=factories.context(WHO))
    return "description: from new back to nothing."


def client() -> str:
    row, _ = factories.oauth_client(factories.customer(), name="Old")
    clients.change(row, changes={"name": "New"}, context=factories.context(WHO))
    return "name: from New back to Old."


def client_disabled() -> str:
    row, _ = factories.oauth_client(factories.customer())
    clients.disable(row, context=factories.context(WHO))
    return "is_active: from no back to yes."


def alert_acknowledged() -> str:
    rule = AlertRule.objects.create(kind=AlertKind.SECURITY, threshold=1)
    facts = {"kind": rule.kind, "threshold": 1, "value": 7, "since": timezone.now(), "raised_at": timezone.now()}
    alert = Alert.objects.create(rule=rule, customer_id=factories.customer().id, **facts)
    watching.acknowledge(alert, context=factories.context(WHO))
    return "acknowledged: from yes back to no."


CHANGES = (
    *(policy, limit_set, limit_restored, allowlist, suspended, role_of_user),
    *(deactivated, role, permission, client, client_disabled, alert_acknowledged),
)


def values(found: undo.Undo) -> dict[str, Any]:
    """What the row has now."""
    kind = undo._kind_of(found.event)
    assert kind
    with transaction.atomic():
        present = kind.now(kind.find(found.event), list(found.changes))
    return {name: present[name] for name in found.changes}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_each_kind_of_change_is_undone(browser: Client, change: Callable[[], str]) -> None:
    says = change()
    event = newest()
    found = undo.of(event)
    assert found
    assert "/undo/" in browser.get(f"/admin/audit/event/{event.id}/change/").content.decode()
    asked = browser.get(page_of(event))
    assert says in asked.context["explanation"]
    assert values(found) != found.before, "asking changes nothing"
    assert browser.post(page_of(event)).status_code == 302
    assert values(found) == found.before
    undone = Event.objects.get(action="change_undone")
    assert undone.details == {"event": str(event.id), "action": event.action}
    assert (undone.actor, undone.customer_id) == ("operator:ops@example.com", event.customer_id)


def test_every_kind_is_tried() -> None:
    for change in CHANGES:
        change()
    assert set(undo.KINDS) <= set(Event.objects.values_list("action", flat=True))


def test_what_was_changed_since_is_not_undone(browser: Client) -> None:
    customer = factories.customer()
    factories.policy(customer, code_length=8)
    event = newest("policy_changed")
    factories.policy(customer, code_length=7)
    page = browser.post(page_of(event), follow=True).content.decode()
    assert "changed since" in page
    assert Customer.objects.get(id=customer.id).code_length == 7
    assert not Event.objects.filter(action="change_undone").exists()


def test_it_is_undone_once_however_many_press(browser: Client) -> None:
    policy()
    event, cookies = newest("policy_changed"), browser.cookies

    def press(_number: int) -> None:
        tab = Client()
        tab.cookies = cookies
        tab.post(page_of(event))

    races.at_once(5, press)
    assert Event.objects.filter(action="change_undone").count() == 1
    assert Event.objects.filter(action="policy_changed").count() == 2


def test_an_undone_change_can_be_done_again_from_its_own_event(browser: Client) -> None:
    customer = factories.customer()
    factories.policy(customer, code_length=8)
    browser.post(page_of(newest("policy_changed")))
    browser.post(page_of(newest("policy_changed")))
    assert Customer.objects.get(id=customer.id).code_length == 8


def proven_long_ago(browser: Client) -> None:
    session = browser.session
    session[step_up.PROVEN] = [timezone.now().timestamp() - timedelta(minutes=11).total_seconds(), step_up.PASSWORD]
    session.save()


def test_undoing_what_is_grave_asks_for_a_proof(browser: Client) -> None:
    """An undo is no way around the question."""
    customer = factories.customer(access_lifetime=3600)
    factories.policy(customer, access_lifetime=86400)
    proven_long_ago(browser)
    event = newest("policy_changed")
    asked = browser.post(page_of(event))
    assert asked.context["proof"] is not None
    assert asked.context["is_grave"]
    assert asked.context["numbers"]
    assert Customer.objects.get(id=customer.id).access_lifetime == 86400
    assert browser.post(page_of(event), {"proof": PASSWORD}).status_code == 302
    assert Customer.objects.get(id=customer.id).access_lifetime == 3600


def test_who_may_not_make_the_change_may_not_undo_it() -> None:
    auditor = operator("auditor@example.com", is_superuser=False)
    give(auditor, Right.objects.filter(codename__startswith="view_"))
    policy()
    for send in (sign_in("auditor@example.com").get, sign_in("auditor@example.com").post):
        assert send(page_of(newest("policy_changed"))).status_code == 403
    clerk = operator("clerk@example.com", is_superuser=False)
    give(clerk, Right.objects.filter(codename="change_customer"))
    assert sign_in("clerk@example.com").post(page_of(newest("policy_changed"))).status_code == 403
    assert not Event.objects.filter(action="change_undone").exists()


def test_what_cannot_be_set_back_says_so(browser: Client) -> None:
    customer = factories.customer()
    for event in (newest("customer_created"), Event(id=customer.id)):
        answer = browser.post(page_of(event), follow=True)
        assert "nothing to undo" in answer.content.decode()
    users.change(factories.user(customer), changes={"name": "Ada"}, context=factories.context(WHO))
    assert undo.of(newest("user_changed")) is None, "events hold no names"
    roles.delete(factories.role(customer), context=factories.context(WHO))
    assert undo.of(newest("role_changed")) is None


# --- The way back, in the message that says what was done ---------------------------------------


def offered(page: str) -> str | None:
    """Where the message's link leads."""
    found = re.search(r'(/admin/audit/event/[0-9a-f-]{36}/undo/)">(?:Undo|Zurücknehmen)', page)
    return found[1] if found else None


def test_what_was_saved_is_undone_from_its_message() -> None:
    operator()
    browser, customer = sign_in(), factories.customer(code_length=6)
    saved = save(browser, customer, code_length=8)
    link = offered(browser.get(saved.headers["Location"]).content.decode())
    assert link == page_of(newest("policy_changed"))
    assert "code_length: from 8 back to 6." in browser.get(link).context["explanation"]
    assert browser.post(link).status_code == 302
    assert Customer.objects.get(id=customer.id).code_length == 6


def test_every_page_offers_it_that_makes_such_a_change() -> None:
    operator()
    browser, customer = sign_in(), factories.customer(name="Acme")
    allowlist = f"/admin/customers/customer/{customer.id}/allowlist/"
    user = factories.user(customer, "ada@example.com")
    for path, form, action in (
        (allowlist, {"network": "192.0.2.0/24", "note": ""}, "allowlist_changed"),
        (f"/admin/users/user/{user.id}/deactivate/", {"reason": "left"}, "user_deactivated"),
    ):
        page = browser.post(path, form, follow=True).content.decode()
        assert offered(page) == page_of(newest(action)), action
    german = browser.post(allowlist, {"network": "10.0.0.0/8"}, follow=True, headers={"accept-language": "de"})
    assert ">Zurücknehmen</a>" in german.content.decode()


def test_nothing_is_offered_for_what_cannot_or_may_not_be_undone() -> None:
    operator()
    browser, customer = sign_in(), factories.customer(name="Acme")
    page = f"/admin/customers/customer/{customer.id}"
    unchanged = save(browser, customer, code_length=customer.code_length)
    assert offered(browser.get(unchanged.headers["Location"]).content.decode()) is None
    rotated = browser.post(f"{page}/rotate/", follow=True)
    assert offered(rotated.content.decode()) is None
    clerk = operator("clerk@example.com", is_superuser=False)
    give(clerk, Right.objects.filter(codename__in=["view_customer", "change_customer"]))
    blind = sign_in("clerk@example.com")
    changed = blind.post(f"{page}/allowlist/", {"network": "192.0.2.0/24"}, follow=True)
    assert "The allowlist is changed" in changed.content.decode()
    assert offered(changed.content.decode()) is None


def test_a_grave_change_is_undone_by_a_link_that_asks_who_is_there() -> None:
    operator()
    browser, customer = sign_in(), factories.customer(access_lifetime=3600)
    saved = save(browser, customer, access_lifetime="2 h")
    link = offered(browser.get(saved.headers["Location"]).content.decode())
    assert link is not None
    proven_long_ago(browser)
    assert browser.get(link).context["proof"] is not None
    assert browser.post(link).status_code == 200
    assert Customer.objects.get(id=customer.id).access_lifetime == 7200
