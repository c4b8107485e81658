"""A customer's beginning and end in a real browser: from its name to the first sign-in, and deleted until nothing is left."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, expect

from apps.accounts import customer_deletion
from apps.customers import lifecycle
from apps.customers.models import Customer, CustomerDeletion
from tests import browser, factories
from tests.conftest import MakeClient
from tests.operators import looking
from tests.operators.looking import enter
from tests.operators.signing_in import operator
from tests.otp.reading import newest_code

pytestmark = pytest.mark.django_db(transaction=True)


def press(where: Locator) -> None:
    with browser.next_page(where.page):
        where.click()


def test_a_customer_is_added_by_its_name_and_the_page_sees_the_first_sign_in(
    live_server: object, client_for: MakeClient
) -> None:
    operator()
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        enter(page, url, "/admin/customers/customer/add/")
        page.locator("#id_name").press_sequentially("Analytical Engines")
        expect(page.locator("#id_slug"), "written meanwhile").to_have_value("analytical-engines")
        faults = looking.faults(page, "customer-added", within="#content")
        with browser.next_page(page):
            page.keyboard.press("Enter")
        page.wait_for_url("**/getting-started/")
        faults += looking.faults(page, "getting-started", within="#content")
        press(page.get_by_role("button", name="Make the first key"))
        page.get_by_role("heading", name="The new key of Analytical Engines").first.wait_for()
        press(page.get_by_role("link", name="I have copied it"))
        page.wait_for_url("**/getting-started/")
        page.get_by_text("The first code is asked for").wait_for()
        customer = Customer.objects.get(slug="analytical-engines")
        client = client_for(customer)
        client.request_otp("ada@example.com")
        page.get_by_text("It was asked for.").wait_for()
        client.verify_otp("ada@example.com", newest_code())
        page.get_by_text("Somebody has signed in: it works.").wait_for()
        faults += looking.faults(page, "getting-started-done", within="#content")
    assert not faults, "\n".join(faults)


def test_a_customer_is_deleted_by_typing_its_name_and_the_page_sees_it_go(live_server: object) -> None:
    """test_every_page has shown axe what is being deleted, and what has been."""
    operator()
    customer = factories.customer(name="Analytical Engines", slug="engines")
    for number in range(30):
        factories.session(factories.user(customer, f"user{number}@example.com"))
    now = timezone.now() - timedelta(days=2)
    lifecycle.suspend(customer, context=factories.context("operator:ops@example.com", now=now))
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        enter(page, url, f"/admin/customers/customer/{customer.id}/delete-everything/")
        faults = looking.faults(page, "delete-customer", within="#content")
        page.get_by_label("Type Analytical Engines to confirm").fill("Analytical Engine")
        press(page.get_by_role("button", name="Delete everything"))
        page.get_by_text("This is not the name").wait_for()
        assert not CustomerDeletion.objects.exists()
        page.get_by_label("Type Analytical Engines to confirm").fill("Analytical Engines")
        press(page.get_by_role("button", name="Delete everything"))
        page.get_by_role("heading", name="Analytical Engines is being deleted").wait_for()
        customer_deletion.go_on(seconds=0, clock=timezone.now)
        page.get_by_text("Everything else").first.wait_for()
        customer_deletion.go_on(seconds=60, clock=timezone.now)
        page.get_by_role("heading", name="Analytical Engines is deleted").wait_for()
    assert not Customer.objects.filter(id=customer.id).exists()
    assert not faults, "\n".join(faults)
