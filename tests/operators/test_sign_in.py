"""How operators sign in, and who does not."""

import re

import pytest
from django.test import Client

from apps.audit.models import Event
from tests import factories
from tests.operators.signing_in import LOGIN, PASSWORD, is_in, operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_operator_signs_in_and_that_is_recorded() -> None:
    operator()
    assert is_in(sign_in())
    assert not is_in(sign_in(password="wrong"))
    assert not is_in(Client())
    recorded = Event.objects.values_list("action", "actor", "severity")
    assert ("operator_signed_in", "operator:ops@example.com", "info") in recorded
    assert ("operator_sign_in_failed", "operator:ops@example.com", "medium") in recorded


@pytest.mark.parametrize(("asked", "shown"), [("", "/admin/"), ("?next=/admin/users/user/", "/admin/users/user/")])
def test_signing_in_leads_to_the_page_that_was_asked_for_or_to_the_overview(asked: str, shown: str) -> None:
    operator()
    browser = Client()
    page = browser.get(LOGIN + asked)
    hidden = re.search(r'name="next" value="([^"]*)"', page.content.decode())
    assert hidden
    form = {"username": "ops@example.com", "password": PASSWORD, "code": "", "next": hidden[1]}
    assert browser.post(LOGIN + asked, form).headers["Location"] == shown


def test_signing_in_leads_to_no_other_site() -> None:
    operator()
    form = {"username": "ops@example.com", "password": PASSWORD, "code": "", "next": "https://evil.example/"}
    assert "evil" not in Client().post(LOGIN, form).headers["Location"]


def test_an_end_user_is_no_operator(browser: Client) -> None:
    factories.user(factories.customer(), "ada@example.com", role="admin")
    assert not is_in(sign_in("ada@example.com"))


def test_where_it_is_required_an_operator_without_it_sees_nothing_but_enrolment(settings: object) -> None:
    settings.OPERATOR_SECOND_FACTOR_REQUIRED = True  # type: ignore[attr-defined]
    operator()
    browser = sign_in()
    assert not is_in(browser)
    assert browser.get("/admin/customers/customer/").status_code == 302
    assert browser.get(LOGIN).headers["Location"] == "/admin/second-factor/"
    assert browser.get("/admin/second-factor/").status_code == 200
    assert Client().get("/admin/second-factor/").status_code == 302
