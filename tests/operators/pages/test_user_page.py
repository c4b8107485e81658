"""A user as one place: the verdict, and the newest few of all that there is, in a number of queries that does not grow."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission as Right
from django.test import Client
from django.utils import timezone

from apps.customers import lifecycle as customers
from apps.mail.models import Message
from apps.operators.pages.users import user_verdict
from apps.tokens.models import Session
from apps.users.models import User
from tests import factories
from tests.conftest import MakeClient
from tests.operators.limiting import give
from tests.operators.pages.asking import doing, page_of, shown
from tests.operators.signing_in import operator, sign_in
from tests.roundtrips import counted
from tests.signin.entering import EMAIL, enrol_app, generous, login, member

pytestmark = pytest.mark.django_db(transaction=True)
QUERIES, MOST_BYTES = 21, 100 * 1024


def verdict(browser: Client, user: User) -> str:
    """What stands on top of the page, without its markup."""
    page = shown(browser, page_of(user, "change"))
    found = re.search(r'aria-labelledby="verdict".*?</section>', page, re.DOTALL)
    assert found
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


def test_who_can_sign_in_is_said_to_be_able(browser: Client, client_for: MakeClient) -> None:
    user = member(generous())
    said = verdict(browser, user)
    assert "Can sign in" in said
    assert "Cannot" not in said
    assert said.count("nothing stands in the way now") == 2, "by code and by password"
    assert login(client_for(user.customer)).status == 200


def test_a_deactivated_account_cannot(browser: Client) -> None:
    """supertokens/dashboard#45: whether somebody is banned is to be seen at once."""
    user = member(factories.customer(), status="deactivated")
    assert "Cannot sign in, because: The account is deactivated." in verdict(browser, user)


def test_the_customer_may_be_what_stands_in_the_way(browser: Client) -> None:
    customer = factories.customer()
    user = member(customer)
    customers.suspend(customer=customer, context=factories.context("system"))
    assert "Cannot sign in, because: The customer is suspended." in verdict(browser, user)


def test_a_locked_password_closes_one_way_alone(browser: Client, client_for: MakeClient) -> None:
    """keycloak/keycloak-ui#1093: a lock is shown where its user is, with the button that ends it."""
    user = member(generous())
    client = client_for(user.customer)
    for _ in range(5):
        login(client, "a guess")
    said = verdict(browser, user)
    assert "Can sign in" in said
    assert "The password is locked after five wrong ones. Free again in" in said
    doing(browser, user, "clear-locks")
    assert "locked" not in verdict(browser, user)
    assert login(client).status == 200


def test_wrong_codes_in_a_row_close_codes(browser: Client) -> None:
    user = factories.user(factories.customer(), email_verified_at=timezone.now(), wrong_codes=1000)
    assert "Cannot sign in, because: So many wrong codes" in verdict(browser, user)
    doing(browser, user, "clear-locks")
    assert "Cannot" not in verdict(browser, user)


def test_second_factors_that_are_closed_close_the_ways_before_them(browser: Client) -> None:
    user = member(generous(), wrong_second_factors=1000)
    assert "Cannot" not in verdict(browser, user), "none is asked of this user"
    enrol_app(user)
    User.objects.update(wrong_second_factors=1000)
    assert "Cannot sign in, because: So many wrong codes" in verdict(browser, user)


def test_who_waits_for_a_code_that_was_just_sent_can_sign_in(browser: Client, client_for: MakeClient) -> None:
    """Another may not be asked for yet; the one on its way is enough."""
    user = factories.user(factories.customer(code_resend_after=60), email_verified_at=timezone.now())
    client_for(user.customer).request_otp(EMAIL)
    assert "Cannot" not in verdict(browser, user)


def test_a_pending_user_signs_in_without_rights(browser: Client) -> None:
    user = factories.user(factories.customer(demands_approval=True), status="pending", email_verified_at=timezone.now())
    said = verdict(browser, user)
    assert "Can sign in, but: The account is pending: it is not approved yet." in said
    assert "does not count now" in shown(browser, page_of(user, "change"))


def test_the_page_counts_nothing(browser: Client, client_for: MakeClient) -> None:
    user = member(factories.customer())
    factories.limit(user.customer, "codes_per_email", 2)
    for _ in range(4):
        verdict(browser, user)
    assert client_for(user.customer).request_otp(EMAIL).status == 200


def test_it_shows_the_newest_of_each_and_links_to_all(browser: Client, client_for: MakeClient) -> None:
    customer = generous(code_resend_after=0)
    user, other = member(customer), member(customer, "bob@example.com")
    enrol_app(user)
    factories.session(other, ip="203.0.113.99")
    factories.session(user, ip="203.0.113.5")
    client_for(customer).request_otp(EMAIL)
    page = shown(browser, page_of(user, "change"))
    assert "203.0.113.5" in page
    assert "203.0.113.99" not in page, "another user's"
    assert "Authenticator app" in page
    assert "Code to sign in" in page
    for link in re.findall(r'href="([^"]+)" aria-label="[^"]+: Show all"', page):
        rows = shown(browser, link.replace("&amp;", "&"))
        assert "bob@example.com" not in rows.split("result_list")[-1], link
    assert page.count(': Show all"') >= 3


def test_it_costs_the_same_however_much_there_is(browser: Client) -> None:
    customer = generous()
    few, many = member(customer), member(customer, "bob@example.com")
    now = timezone.now()
    for number in range(30):
        factories.session(many, now=now - timedelta(minutes=number))
    shown(browser, page_of(few, "change"))
    costs = []
    for user in (few, many):
        with counted() as cost:
            page = shown(browser, page_of(user, "change"))
        costs.append(len(cost.statements))
        assert len(page.encode()) < MOST_BYTES
    assert costs == [QUERIES, QUERIES]
    assert Session.objects.filter(user=many, ended_at=None).count() > page.count("/admin/tokens/session/01") > 0


def test_a_clerk_sees_what_their_lists_show(browser: Client, client_for: MakeClient) -> None:
    user = member(generous(code_resend_after=0))
    factories.session(user, ip="203.0.113.5")
    client_for(user.customer).request_otp(EMAIL)
    clerk = operator("clerk@example.com", is_superuser=False)
    give(clerk, Right.objects.filter(codename="view_user", content_type__app_label="users"))
    visitor = sign_in("clerk@example.com")
    page = shown(visitor, page_of(user, "change"))
    assert 'id="verdict"' in page
    for hidden in (
        "203.0.113.5",
        'id="sessions"',
        'id="factors"',
        'id="mails"',
        'id="events"',
        "why-refused",
    ):
        assert hidden not in page, hidden
    give(clerk, Right.objects.filter(codename="view_session", content_type__app_label="tokens"))
    page = shown(visitor, page_of(user, "change"))
    assert "203.0.113.5" in page
    assert 'id="mails"' not in page
    assert Message.objects.exists()
    assert user_verdict.of(user).can
