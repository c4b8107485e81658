"""Operators sign in at one of the customers that Gatehouse itself serves: its hosted pages are their OpenID Connect provider."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from apps.audit.models import Event
from apps.operators.models import OperatorIdentity
from tests import browser, factories
from tests.operators.signing_in import operator
from tests.running import Running
from tests.signin.entering import generous, member

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.lengthy]
OPERATOR, STRANGER = "ops@example.com", "stranger@example.com"


def by_code(page: Page, running: Running, address: str) -> None:
    """From the admin's sign-in page, by keyboard, with the code from the mail."""
    page.goto(f"{running.url}/admin/login/")
    with browser.next_page(page):
        page.get_by_role("link", name="Sign in with House").press("Enter")
    page.wait_for_url("**/sign-in/house**")
    type_at_once(page, address)
    page.get_by_role("heading", name="Enter the code").wait_for()
    type_at_once(page, running.mailbox.wait_for_code(address))


def type_at_once(page: Page, text: str) -> None:
    """Into the field that has the focus when the page is there. A browser gives it when it first paints."""
    page.locator("input:focus").wait_for()
    page.keyboard.type(text)
    with browser.next_page(page):
        page.keyboard.press("Enter")


def test_operators_sign_in_at_gatehouses_own_pages(make_running: Callable[..., Running]) -> None:
    who, house = operator(OPERATOR), generous(name="House", slug="house", algorithm="ES256")
    member(house, OPERATOR)
    member(house, STRANGER)
    client, secret = factories.oauth_client(house, is_confidential=True)
    running = make_running(
        OPERATOR_OIDC_ISSUER="{url}/customers/house",
        OPERATOR_OIDC_CLIENT_ID=client.client_id,
        OPERATOR_OIDC_CLIENT_SECRET=secret,
        OPERATOR_OIDC_NAME="House",
    )
    client.redirect_uris = [f"{running.url}/admin/oidc/callback/"]
    client.save()
    with browser.kept_page() as page:
        by_code(page, running, OPERATOR)
        page.wait_for_url("**/admin/")
        assert page.get_by_role("heading", name="Overview").count() == 1
        assert OperatorIdentity.objects.get().operator_id == who.pk
        assert Event.objects.filter(action="operator_identity_bound", actor=f"operator:{OPERATOR}").count() == 1
        page.context.clear_cookies()
        by_code(page, running, STRANGER)
        page.wait_for_url("**/admin/oidc/callback/**")
        assert "Overview" not in page.title()
        assert OperatorIdentity.objects.count() == 1
        page.goto(f"{running.url}/admin/")
        page.wait_for_url("**/admin/login/**")
