"""The operator's page says what it may do, and for which customers, and changes both."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.audit.models import Event
from apps.operators.models import RoleName
from apps.operators.team import roles, scope
from tests import factories
from tests.operators.limiting import with_role
from tests.operators.saving import save
from tests.operators.signing_in import operator, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/auth/user/"


def page_of(who: User) -> str:
    return f"{LIST}{who.pk}/change/"


def form(who: User, **values: Any) -> dict[str, Any]:
    return {"username": who.username, "is_active": "on", **values}


@pytest.fixture
def clerk() -> User:
    return operator("clerk@example.com", is_superuser=False)


def test_a_role_and_its_limits_are_chosen_and_recorded(browser: Client, clerk: User) -> None:
    customer = factories.customer(name="Acme")
    wanted = form(clerk, role="support", reach="some", customers=[str(customer.pk)])
    assert save(browser, page_of(clerk), wanted).status_code == 302
    clerk = User.objects.get(pk=clerk.pk)
    assert (roles.role_of(clerk), scope.of_operator(clerk).customers) == (RoleName.SUPPORT, {customer.pk})
    changes = Event.objects.get(action="operator_changed").details["changes"]
    assert changes["role"]["after"] == "support"
    assert changes["customers"]["after"] == ["Acme"]


def test_the_page_offers_three_roles_with_a_sentence_and_no_permission(browser: Client, clerk: User) -> None:
    page = browser.get(page_of(clerk)).content.decode()
    assert page.count('type="radio" name="role"') == len(RoleName)
    assert all(str(sentence) in page for sentence in roles.SENTENCES.values())
    for name in ("user_permissions", "groups", "is_superuser", "is_staff"):
        assert f'name="{name}"' not in page


def test_the_list_says_role_and_limits(browser: Client, clerk: User) -> None:
    names = [factories.customer(name=f"Customer {letter}") for letter in "ABCDE"]
    roles.assign(clerk, RoleName.AUDITOR, names)
    with_role(RoleName.SUPPORT, name="new@example.com")
    page = browser.get(LIST).content.decode()
    for text in ("Administrator", "Auditor", "Customer A, Customer B, Customer C, 2 more", "All", "Support", "None"):
        assert text in page


@pytest.mark.parametrize(
    ("reach", "chosen"), [("some", []), ("all", ["one"]), ("", []), ("some", ["nonsense"]), ("most", [])]
)
def test_limits_that_say_two_things_or_nothing_are_refused(
    browser: Client, clerk: User, reach: str, chosen: list[str]
) -> None:
    customers = [str(factories.customer().pk) if each == "one" else each for each in chosen]
    answer = save(browser, page_of(clerk), form(clerk, role="auditor", reach=reach, customers=customers))
    assert answer.status_code == 200
    assert roles.role_of(User.objects.get(pk=clerk.pk)) is None


def test_only_an_administrator_without_limits_changes_operators(clerk: User) -> None:
    operator("boss@example.com")
    for role in RoleName:
        who = with_role(role, factories.customer(), name=f"limited-{role}@example.com")
        assert signed_in(who).get(page_of(clerk)).status_code == 403
        wanted = form(clerk, role="administrator", reach="all")
        assert signed_in(who).post(page_of(who), wanted).status_code == 403
    auditor = signed_in(with_role(RoleName.AUDITOR, unlimited=True))
    page = auditor.get(page_of(clerk)).content.decode()
    assert 'name="role"' not in page
    assert auditor.post(page_of(clerk), form(clerk, role="administrator", reach="all")).status_code == 403
    assert roles.role_of(User.objects.get(pk=clerk.pk)) is None


def test_a_list_of_operators_takes_the_same_queries_for_any_number(browser: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert browser.get(LIST).status_code == 200
        return len(found)

    with_role(RoleName.SUPPORT, factories.customer(), name="first@example.com")
    before = queries()
    for number in range(5):
        with_role(RoleName.AUDITOR, factories.customer(), name=f"auditor{number}@example.com")
    assert queries() == before
