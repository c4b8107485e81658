"""The last administrator stays: no page, list, form or race can leave the service without one."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from apps.customers.models import DEFAULT_CUSTOMER_ID
from tests import races
from tests.operators.limiting import give
from tests.operators.saving import save
from tests.operators.signing_in import PASSWORD, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/auth/user/"


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss@example.com", "boss@example.com", PASSWORD)


def administrators() -> int:
    found = User.objects.filter(is_active=True, is_staff=True, is_superuser=True)
    return sum(operator.has_usable_password() for operator in found)


def form(operator: User, **changes: Any) -> dict[str, Any]:
    active = {"is_active": "on"} if changes.pop("is_active", True) else {}
    return {"username": operator.username, "role": "administrator", "reach": "all", **active, **changes}


ATTEMPTS = {
    "delete": lambda browser, who: browser.post(f"{LIST}{who.pk}/delete/", {"post": "yes"}),
    "deactivate": lambda browser, who: save(browser, f"{LIST}{who.pk}/change/", form(who, is_active=False)),
    "demote": lambda browser, who: save(browser, f"{LIST}{who.pk}/change/", form(who, role="auditor")),
    "limit": lambda browser, who: save(
        browser, f"{LIST}{who.pk}/change/", form(who, reach="some", customers=[str(DEFAULT_CUSTOMER_ID)])
    ),
    "delete from the list": lambda browser, who: browser.post(
        LIST, {"action": "delete_selected", "_selected_action": [who.pk], "post": "yes"}
    ),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_the_last_administrator_stays(boss: User, attempt: str) -> None:
    User.objects.create_superuser("left@example.com", password=PASSWORD, is_active=False)
    User.objects.create_user("clerk@example.com", password=PASSWORD, is_staff=True)
    browser = signed_in(boss)
    answer = ATTEMPTS[attempt](browser, boss)
    assert answer.status_code == 302
    assert administrators() == 1
    page = browser.get("/admin/password_change/").content.decode()  # still in, and told why
    assert "This is the last administrator." in page


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_where_there_is_another_one_may_go(boss: User, attempt: str) -> None:
    other = User.objects.create_superuser("other@example.com", password=PASSWORD)
    assert ATTEMPTS[attempt](signed_in(boss), other).status_code == 302
    assert administrators() == 1
    assert not User.objects.filter(pk=boss.pk, is_superuser=False).exists()


def test_all_at_once_are_not_deleted_from_the_list_and_none_is(boss: User) -> None:
    for name in ("a", "b"):
        User.objects.create_superuser(name, password=PASSWORD)
    chosen = list(User.objects.values_list("pk", flat=True))
    answer = signed_in(boss).post(LIST, {"action": "delete_selected", "_selected_action": chosen, "post": "yes"})
    assert answer.status_code == 302
    assert administrators() == 3


@pytest.mark.parametrize("attempt", ["delete", "demote", "deactivate", "delete from the list"])
def test_of_two_who_remove_each_other_at_once_one_stays(boss: User, attempt: str) -> None:
    other = User.objects.create_superuser("other@example.com", password=PASSWORD)
    pairs = [(signed_in(boss), other), (signed_in(other), boss)]
    races.at_once(2, lambda number: ATTEMPTS[attempt](*pairs[number]).status_code)
    assert administrators() == 1


def test_an_operator_saves_its_own_page_as_ever(boss: User) -> None:
    assert (
        save(signed_in(boss), f"{LIST}{boss.pk}/change/", form(boss, username="chief@example.com")).status_code == 302
    )
    assert User.objects.get().username == "chief@example.com"


def test_a_name_in_another_case_is_taken(boss: User) -> None:
    browser = signed_in(boss)
    added = browser.post(f"{LIST}add/", {"email": "BOSS@example.com"})
    assert added.status_code == 200  # the form again
    other = User.objects.create_superuser("other@example.com", password=PASSWORD)
    changed = save(browser, f"{LIST}{other.pk}/change/", form(other, username="Boss@Example.COM"))
    assert changed.status_code == 200
    assert "already exists" in changed.content.decode()
    assert set(User.objects.values_list("username", flat=True)) == {"boss@example.com", "other@example.com"}


def test_an_operator_signs_in_whatever_the_case_of_the_name(boss: User) -> None:
    for name in ("BOSS@EXAMPLE.COM", "Boss@Example.com", " boss@example.com "):
        browser = Client()
        browser.post("/admin/login/", {"username": name, "password": PASSWORD, "code": "", "next": "/admin/"})
        assert browser.get("/admin/").status_code == 200


def test_who_may_look_at_operators_sees_no_hash(boss: User) -> None:
    clerk = User.objects.create_user("clerk@example.com", password=PASSWORD, is_staff=True)
    give(clerk, Permission.objects.filter(codename="view_user", content_type__app_label="auth"))
    page = signed_in(clerk).get(f"{LIST}{boss.pk}/change/").content.decode()
    assert boss.username in page
    assert boss.password not in page
    assert boss.password.rpartition("$")[2] not in page
