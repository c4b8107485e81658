"""Users who wait to be approved: by operators, who are told. And who may set up a check outside.

How somebody outside is asked and answers is in `test_outside_check`.
"""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.contrib.auth.models import User as Operator
from django.test import Client as Browser
from django.utils import timezone

from apps.approvals import decisions, tasks
from apps.approvals.models import IdentityCheck
from apps.audit.models import Event
from apps.core import sealed
from apps.customers.models import Customer
from apps.mail.models import Message
from tests import factories
from tests.accounts.registering import register
from tests.approvals.approving import decide, waiting
from tests.conftest import MakeClient
from tests.operators.limiting import give
from tests.operators.pages.customer_form import save
from tests.operators.saving import opened
from tests.otp.reading import newest_code
from tests.races import at_once, outcome
from tests.signin.entering import EMAIL, PASSWORD, login

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_approved_user_is_active_on_the_next_request(client_for: MakeClient) -> None:
    _customer, client, check = waiting(client_for)
    token = login(client).document["access_token"]
    assert client.get("/api/auth/me", token=token).document["status"] == "pending"
    decide(check)
    assert client.get("/api/auth/me", token=token).document["status"] == "active"
    assert Message.objects.filter(kind="user_approved", recipient=EMAIL).count() == 1
    assert Event.objects.get(action="user_approved").actor == "operator:o"


def test_a_rejected_user_is_told_why_and_can_be_approved_later(client_for: MakeClient) -> None:
    _customer, client, check = waiting(client_for)
    decide(check, approve=False, reason="The picture cannot be read.")
    assert login(client).document["user"]["status"] == "pending"
    assert Message.objects.filter(kind="user_rejected").count() == 1
    decide(check)
    assert login(client).document["user"]["status"] == "active"
    decide(check, approve=False)
    assert login(client).document["user"]["status"] == "pending", "and the other way round"


def test_of_many_who_approve_at_once_one_does(client_for: MakeClient) -> None:
    _customer, _client, check = waiting(client_for)
    outcomes = at_once(8, lambda _: outcome(lambda: decide(check)))
    assert (outcomes.count("done"), outcomes.count("AlreadyDecided")) == (1, 7)
    assert Message.objects.filter(kind="user_approved").count() == 1


def test_an_approval_does_not_stand_for_a_proven_address() -> None:
    customer = factories.customer(demands_approval=True)
    user = factories.user(customer, EMAIL, status="pending")
    decisions.open_for(user, customer=factories.state_of(customer), now=timezone.now())
    decide(IdentityCheck.objects.get())
    user.refresh_from_db()
    assert user.status == "pending"
    assert user.approved_at is not None


def test_who_signs_in_by_code_for_the_first_time_waits_too(client_for: MakeClient) -> None:
    client = client_for(factories.customer(demands_approval=True))
    client.request_otp(EMAIL)
    answer = client.verify_otp(EMAIL, newest_code())
    assert (answer.document["user"]["status"], answer.document["user"]["is_new"]) == ("pending", True)
    assert IdentityCheck.objects.count() == 1


# --- Operators ------------------------------------------------------------------------------------------------------


def test_operators_who_may_approve_are_told_once(client_for: MakeClient) -> None:
    """Issue: operators are told of users who wait."""
    waiting(client_for)
    Operator.objects.create_superuser("boss", "boss@example.com", PASSWORD)
    Operator.objects.create_user("clerk", "clerk@example.com", PASSWORD, is_staff=True)
    assert tasks.tell_operators() == 1
    message = Message.objects.get(kind="users_waiting")
    assert message.recipient == "boss@example.com"
    assert tasks.tell_operators() == 0


def test_no_more_than_one_mail_in_ten_minutes(client_for: MakeClient) -> None:
    customer, client, _check = waiting(client_for)
    Operator.objects.create_superuser("boss", "boss@example.com", PASSWORD)
    tasks.tell_operators()
    client.request_otp("bob@example.com")
    client.verify_otp("bob@example.com", newest_code())
    assert IdentityCheck.objects.filter(customer=customer).count() == 2
    assert tasks.tell_operators() == 0
    IdentityCheck.objects.update(created_at=timezone.now())
    IdentityCheck.objects.exclude(operators_told_at=None).update(
        operators_told_at=timezone.now() - timedelta(minutes=11)
    )
    assert tasks.tell_operators() == 1


def test_where_no_address_is_to_be_proven_the_check_is_opened_a_little_later(client_for: MakeClient) -> None:
    """Not in the request, which does the same work for a taken address."""
    client = client_for(factories.customer(demands_approval=True, demands_verified_email=False))
    assert register(client).document["user"]["status"] == "pending"
    assert not IdentityCheck.objects.exists()
    tasks.tell_operators()
    assert IdentityCheck.objects.count() == 1


def test_an_operator_decides_on_a_page_that_asks_first(client_for: MakeClient) -> None:
    _customer, client, check = waiting(client_for)
    boss = Operator.objects.create_superuser("boss", "boss@example.com", PASSWORD)
    browser = Browser()
    browser.force_login(boss)
    listed = browser.get("/admin/approvals/identitycheck/")
    assert EMAIL in listed.content.decode()
    page = f"/admin/approvals/identitycheck/{check.id}"
    assert browser.get(f"{page}/change/").status_code == 200
    asked = browser.get(f"/admin/approvals/identitycheck/{check.id}/reject/")
    assert asked.status_code == 200
    assert login(client).document["user"]["status"] == "pending"
    browser.post(f"/admin/approvals/identitycheck/{check.id}/reject/", {"reason": "Too dark."})
    check.refresh_from_db()
    assert (check.state, check.reason, check.decided_by) == ("rejected", "Too dark.", "operator:boss")
    browser.post(f"/admin/approvals/identitycheck/{check.id}/approve/")
    assert login(client).document["user"]["status"] == "active"


def test_an_operator_without_the_right_does_not_decide(client_for: MakeClient) -> None:
    _customer, _client, check = waiting(client_for)
    clerk = Operator.objects.create_user("clerk", "clerk@example.com", PASSWORD, is_staff=True)
    browser = Browser()
    browser.force_login(clerk)
    assert browser.post(f"/admin/approvals/identitycheck/{check.id}/approve/").status_code == 403
    check.refresh_from_db()
    assert check.state == "waiting"


# --- Who may set up an outside check --------------------------------------------------------------------------------


def clerk(*permissions: str) -> Browser:
    """An operator who holds these alone, signed in."""
    row = Operator.objects.create_user("clerk", "clerk@example.com", PASSWORD, is_staff=True)
    give(row, Permission.objects.filter(codename__in=permissions))
    browser = Browser()
    browser.force_login(row)
    return browser


def test_who_may_not_approve_users_gets_no_secret_that_does() -> None:
    customer = factories.customer(demands_approval=True)
    page = f"/admin/customers/customer/{customer.id}"
    browser = clerk("change_customer")
    assert "identity-check-secret" not in browser.get(f"{page}/danger/").content.decode()
    assert browser.get(f"{page}/identity-check-secret/").status_code == 403
    assert browser.post(f"{page}/identity-check-secret/").status_code == 403
    customer.refresh_from_db()
    assert customer.identity_check_secret == ""


def test_who_may_approve_users_but_not_change_customers_gets_none_either() -> None:
    customer = factories.customer()
    browser = clerk("change_identitycheck", "view_customer")
    assert browser.post(f"/admin/customers/customer/{customer.id}/identity-check-secret/").status_code == 403


def test_who_may_not_approve_users_does_not_say_who_is_asked_outside() -> None:
    customer = factories.customer(demands_approval=True, identity_check_url="https://check.example/")
    browser = clerk("change_customer", "add_customer")
    changes = {"identity_check_url": "https://evil.example/", "account_url": "https://acme.example/"}
    assert save(browser, customer, **changes).status_code == 302
    customer.refresh_from_db()
    assert (customer.identity_check_url, customer.account_url) == ("https://check.example/", "https://acme.example/")
    assert save(browser, customer, identity_check_url="").status_code == 302, "nor takes the check away"
    customer.refresh_from_db()
    assert customer.identity_check_url == "https://check.example/"
    add = "/admin/customers/customer/add/"
    form = {"name": "New", "slug": "new", "identity_check_url": "https://evil.example/", **opened(browser, add)}
    assert browser.post(add, form).status_code == 302
    assert Customer.objects.get(slug="new").identity_check_url == ""


def test_who_may_only_look_at_customers_sees_the_page() -> None:
    customer = factories.customer(identity_check_url="https://check.example/")
    shown = clerk("view_customer").get(f"/admin/customers/customer/{customer.id}/policy/").content.decode()
    assert "https://check.example/" in shown


def test_who_may_do_both_sets_the_address_and_makes_the_secret() -> None:
    customer = factories.customer(demands_approval=True)
    browser = clerk("change_customer", "change_identitycheck")
    assert save(browser, customer, identity_check_url="https://check.example/").status_code == 302
    shown = browser.post(
        f"/admin/customers/customer/{customer.id}/identity-check-secret/", follow=True
    ).content.decode()
    customer.refresh_from_db()
    assert customer.identity_check_url == "https://check.example/"
    assert sealed.read(customer, "identity_check_secret").decode() in shown
