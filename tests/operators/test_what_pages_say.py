"""Names in the place of ids, heads of columns on cards, the way to a question, and the colours of its buttons."""

import pytest
from django.test import Client

from apps.mail.models import Message
from tests import factories
from tests.conftest import MakeClient

pytestmark = pytest.mark.django_db(transaction=True)
RED = "bg-red-600"


def test_a_button_is_red_if_it_takes_something_away(browser: Client) -> None:
    row, _text = factories.api_key(factories.customer())
    assert RED in body(browser, f"api_keys/apikey/{row.id}/revoke/")
    assert RED not in body(browser, f"api_keys/apikey/{row.id}/rotate/")


def test_the_way_to_a_question_leads_by_its_row(browser: Client) -> None:
    row, _text = factories.api_key(factories.customer(name="Acme"), name="Web shop")
    way = body(browser, f"api_keys/apikey/{row.id}/revoke/").partition("data-breadcrumbs")[2].partition("</nav>")[0]
    assert f'href="/admin/api_keys/apikey/{row.id}/change/"' in way
    assert "Web shop" in way


def test_a_card_names_its_columns_as_a_table_does(browser: Client) -> None:
    factories.api_key(factories.customer())
    page = body(browser, "api_keys/apikey/")
    assert 'data-label="Last used"' in page
    assert 'data-label="last used"' not in page


def test_scopes_are_said_as_words(browser: Client) -> None:
    row, _text = factories.api_key(factories.customer(), scopes=["auth", "users:read"])
    assert "auth, users:read" in body(browser, f"api_keys/apikey/{row.id}/change/")


def test_a_mail_names_its_customer(browser: Client, client_for: MakeClient) -> None:
    client_for(factories.customer(name="Analytical Engines")).request_otp("ada@example.com")
    row = Message.objects.latest("pk")
    assert "Analytical Engines" in body(browser, f"mail/message/{row.id}/change/")


def test_a_page_that_adds_does_not_offer_to_add(browser: Client) -> None:
    assert "addlink" in body(browser, "users/role/")
    assert "addlink" not in body(browser, "users/role/add/")


def test_an_error_has_the_colours_of_the_admin(browser: Client) -> None:
    assert "--color-primary-600" in browser.get("/admin/nothing/here/").content.decode()


def body(browser: Client, place: str) -> str:
    answer = browser.get(f"/admin/{place}")
    assert answer.status_code == 200, place
    return answer.content.decode()
