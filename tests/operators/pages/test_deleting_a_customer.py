"""An operator deletes a customer: by its name, with a second factor, and sees how far it is."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from apps.accounts import customer_deletion
from apps.audit.models import Event
from apps.customers import lifecycle
from apps.customers.models import DEFAULT_CUSTOMER_ID, Customer, CustomerDeletion
from tests import factories
from tests.operators.enrolling import app_of, code_of
from tests.operators.limiting import give
from tests.operators.signing_in import operator, sign_in, signed_in
from tests.operators.test_grave_changes import age, numbers_of

pytestmark = pytest.mark.django_db(transaction=True)
DELETE = "/admin/customers/customer/{}/delete-everything/"
PROGRESS = "/admin/customers/customer/{}/deletion/"
CHANGE = "/admin/customers/customer/{}/change/"
DANGER = "/admin/customers/customer/{}/danger/"


@pytest.fixture
def acme() -> Customer:
    """Suspended two days ago."""
    customer = factories.customer(name="Acme", slug="acme")
    factories.session(factories.user(customer))
    now = timezone.now() - timedelta(days=2)
    lifecycle.suspend(customer, context=factories.context("operator:ops@example.com", now=now))
    return customer


def carry_out() -> None:
    customer_deletion.go_on(seconds=60, clock=timezone.now)


def test_it_says_in_numbers_what_goes_and_wants_the_name(browser: Client, acme: Customer) -> None:
    asked = browser.get(DELETE.format(acme.id))
    assert numbers_of(asked)["Users"][0] == numbers_of(asked)["Sessions"][0] == 1
    for wrong in ("", "acme", "Acme Ltd", "ACME"):
        answer = browser.post(DELETE.format(acme.id), {"typed": wrong})
        assert answer.status_code == 200
        assert answer.context["typed"].errors
    assert not CustomerDeletion.objects.exists()
    done = browser.post(DELETE.format(acme.id), {"typed": "Acme"})
    assert done.headers["Location"] == PROGRESS.format(acme.id)
    assert Customer.objects.get(id=acme.id).status == "deleting"


def test_it_takes_the_second_factor_and_a_wrong_name_uses_up_no_code(acme: Customer) -> None:
    device = app_of(operator())
    browser = sign_in(code=code_of(device))
    age(browser, minutes=11)
    code = code_of(device, later=1)
    assert browser.post(DELETE.format(acme.id), {"typed": "Acme"}).status_code == 200
    assert browser.post(DELETE.format(acme.id), {"typed": "Acne", "proof": code}).status_code == 200
    assert not CustomerDeletion.objects.exists()
    assert browser.post(DELETE.format(acme.id), {"typed": "Acme", "proof": code}).status_code == 302
    assert CustomerDeletion.objects.exists()


def test_it_is_offered_only_for_a_customer_that_is_suspended(browser: Client, acme: Customer) -> None:
    active = factories.customer()
    default = Customer.objects.get(id=DEFAULT_CUSTOMER_ID)
    lifecycle.suspend(default, context=factories.context())
    assert DELETE.format(acme.id) in browser.get(DANGER.format(acme.id)).content.decode()
    for other in (active, default):
        assert DELETE.format(other.id) not in browser.get(DANGER.format(other.id)).content.decode()
        refused = browser.post(DELETE.format(other.id), {"typed": other.name}, follow=True)
        assert "delete" in refused.content.decode()
    assert not CustomerDeletion.objects.exists()


def test_who_suspended_it_a_moment_ago_is_told_from_when_on(browser: Client) -> None:
    customer = factories.customer(name="Fresh")
    suspended = factories.context()
    lifecycle.suspend(customer, context=suspended)
    asked = browser.get(DELETE.format(customer.id)).content.decode()
    assert f"{suspended.now + timedelta(days=1):%Y-%m-%d}" in asked
    refused = browser.post(DELETE.format(customer.id), {"typed": "Fresh"}, follow=True).content.decode()
    assert "suspended for a day" in refused
    assert not CustomerDeletion.objects.exists()


def test_the_page_shows_how_far_it_is_and_stays_when_the_customer_is_gone(browser: Client, acme: Customer) -> None:
    browser.post(DELETE.format(acme.id), {"typed": "Acme"})
    customer_deletion.go_on(seconds=0, clock=timezone.now)
    under_way = browser.get(PROGRESS.format(acme.id)).content.decode()
    assert "Acme is being deleted" in under_way
    assert "data-under-way" in under_way
    carry_out()
    ended = browser.get(PROGRESS.format(acme.id)).content.decode()
    assert "Acme is deleted" in ended
    assert "data-under-way" not in ended
    assert browser.get(CHANGE.format(acme.id)).headers["Location"] == PROGRESS.format(acme.id), "old links"


def test_nothing_is_done_to_a_customer_that_is_being_deleted(browser: Client, acme: Customer) -> None:
    browser.post(DELETE.format(acme.id), {"typed": "Acme"})
    for action in ("reactivate", "suspend", "rotate", "emergency", "delete-everything"):
        browser.post(f"/admin/customers/customer/{acme.id}/{action}/", {"typed": "Acme"})
    assert Customer.objects.get(id=acme.id).status == "deleting"
    undo = Event.objects.get(action="customer_suspended")
    browser.post(f"/admin/audit/event/{undo.id}/undo/", follow=True)
    assert Customer.objects.get(id=acme.id).status == "deleting"


def test_the_audit_trail_reads_of_the_deleted_customer_by_name(browser: Client, acme: Customer) -> None:
    browser.post(DELETE.format(acme.id), {"typed": "Acme"})
    carry_out()
    page = browser.get("/admin/audit/event/?customer=Acme").content.decode()
    assert "deleted customer Acme</a>" in page
    assert "suspended" in page
    assert "The customer Acme is deleted" in page
    export = browser.post("/admin/audit/event/export/?customer=acme", {"format": "jsonl"})
    text = b"".join(export.streaming_content).decode()  # type: ignore[attr-defined]
    assert "deleted customer Acme" in text


@pytest.mark.parametrize("permissions", [["view_customer"], ["view_customer", "change_customer"]])
def test_it_takes_the_permission_to_delete(acme: Customer, permissions: list[str]) -> None:
    limited = operator("limited@example.com", is_superuser=False)
    give(limited, Permission.objects.filter(codename__in=permissions))
    browser = signed_in(limited)
    assert browser.post(DELETE.format(acme.id), {"typed": "Acme"}).status_code == 403
    assert not CustomerDeletion.objects.exists()


def test_who_may_not_see_customers_reads_of_no_deletion(acme: Customer) -> None:
    customer_deletion.start(acme, context=factories.context("operator:ops@example.com"))
    carry_out()
    nobody = operator("nobody@example.com", is_superuser=False)
    give(nobody, Permission.objects.filter(codename="view_event"))
    browser = signed_in(nobody)
    assert browser.get(PROGRESS.format(acme.id)).status_code == 403
    assert "deleted customer Acme" not in browser.get("/admin/audit/event/").content.decode()
    viewer = operator("viewer@example.com", is_superuser=False)
    give(viewer, Permission.objects.filter(codename="view_customer"))
    assert signed_in(viewer).get(PROGRESS.format(acme.id)).status_code == 403, "gone, and asked for by another"
