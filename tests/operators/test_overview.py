"""The first page shows an operator only the numbers of what they may view."""

from collections.abc import Iterable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from tests import factories
from tests.conftest import MakeClient
from tests.operators.signing_in import operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
TILES = {
    "Customers": "view_customer",
    "Users": "view_user",
    "Users to approve": "view_identitycheck",
    "Living sessions": "view_session",
    "Mails waiting": "view_message",
    "Mails failed, 24\u00a0h": "view_message",
    "Security events, 24\u00a0h": "view_event",
}


def clerk(*rights: str) -> Client:
    """Signed in, with these rights in Gatehouse's own apps."""
    row = operator("clerk@example.com", is_superuser=False)
    mine = Permission.objects.filter(codename__in=rights).exclude(content_type__app_label="auth")
    row.user_permissions.set(mine)
    return sign_in("clerk@example.com")


def labels(numbers: Iterable[object]) -> list[str]:
    return [str(number.label) for number in numbers]  # type: ignore[attr-defined]


def test_an_operator_without_rights_learns_no_number() -> None:
    factories.user(factories.customer())
    page = clerk().get("/admin/")
    assert page.status_code == 200
    assert page.context["numbers"] == []
    assert not [label for label in TILES if label in page.content.decode()]


@pytest.mark.parametrize("right", sorted(set(TILES.values())))
def test_a_right_shows_its_numbers_and_no_others(right: str) -> None:
    browser = clerk(right)
    numbers = browser.get("/admin/").context["numbers"]
    assert labels(numbers) == [label for label, needed in TILES.items() if needed == right]
    assert [browser.get(number.url).status_code for number in numbers] == [200] * len(numbers)


def test_the_right_to_see_operators_is_not_the_right_to_see_users() -> None:
    """Both are called view_user; one is Django's."""
    row = operator("clerk@example.com", is_superuser=False)
    row.user_permissions.set(Permission.objects.filter(codename="view_user", content_type__app_label="auth"))
    assert sign_in("clerk@example.com").get("/admin/").context["numbers"] == []


def test_who_may_see_all_sees_all_and_the_numbers_are_right(client_for: MakeClient) -> None:
    operator()
    customer = factories.customer()
    user = factories.user(customer)
    factories.user(customer, "bob@example.com")
    factories.session(user)
    client_for(customer).request_otp("ada@example.com")
    sign_in(password="wrong")
    numbers = sign_in().get("/admin/").context["numbers"]
    assert labels(numbers) == list(TILES)
    found = {number.label: number.value for number in numbers}
    assert (found["Customers"], found["Users"], found["Living sessions"]) == (2, 2, 1)
    assert (found["Mails waiting"], found["Mails failed, 24\u00a0h"], found["Security events, 24\u00a0h"]) == (1, 0, 1)
    assert [number.label for number in numbers if number.bad] == ["Security events, 24\u00a0h"]


def test_the_sidebar_leads_nowhere_that_is_forbidden() -> None:
    page = clerk("view_session").get("/admin/").content.decode()
    assert "/admin/tokens/session/" in page
    assert "/admin/users/user/" not in page
    assert "/admin/audit/event/" not in page
