"""`/api/oauth/logout`: an app signs its user out here, too, and nobody else does (OpenID Connect RP-Initiated Logout 1.0)."""

import pytest
from django.test import Client as Browser
from django.utils import timezone

from apps.customers.models import Customer
from apps.oauth.models import RegisteredClient
from apps.tokens.models import Session
from tests import factories
from tests.oauth.authorizing import CHALLENGE
from tests.oauth.exchanging import exchange
from tests.portal.visiting import Visitor, asked_by

pytestmark = pytest.mark.django_db(transaction=True)

PATH, GOODBYE = "/api/oauth/logout", "https://app.example.com/goodbye"


@pytest.fixture
def customer() -> Customer:
    return factories.customer(algorithm="ES256", code_resend_after=0)


@pytest.fixture
def client(customer: Customer) -> RegisteredClient:
    return factories.oauth_client(customer, post_logout_redirect_uris=[GOODBYE, "com.example.app:/bye"])[0]


def signed_in(customer: Customer, client: RegisteredClient) -> tuple[Visitor, str]:
    """Somebody who has signed in to the app by the hosted pages, and the app's id token."""
    visitor = Visitor(customer).open(**asked_by(client, scope="openid", code_challenge=CHALLENGE))
    visitor.enter_code("ada@example.com")
    return visitor, exchange(client, visitor.given_back["code"]).document["id_token"]


def living() -> int:
    return Session.objects.alive(timezone.now()).count()


def test_the_app_shows_whom_it_means_and_the_user_is_signed_out_and_sent_back(
    customer: Customer, client: RegisteredClient
) -> None:
    """C4 (hosted sign-in)"""
    visitor, id_token = signed_in(customer, client)
    assert living() == 2
    wanted = {"id_token_hint": id_token, "post_logout_redirect_uri": GOODBYE, "state": "a&b"}
    visitor.open(PATH, **wanted)
    assert visitor.sent_to == f"{GOODBYE}?state=a%26b"
    assert visitor.answer.headers["Cache-Control"] == "no-store"
    assert living() == 0
    assert not any(cookie.value for cookie in visitor.answer.cookies.values())
    assert visitor.answer.cookies
    assert visitor.open(PATH, **wanted).sent_to == f"{GOODBYE}?state=a%26b"  # again: nothing more to do
    visitor.open(PATH, id_token_hint=id_token)
    assert visitor.page.heading == "You are signed out"


def test_an_app_may_send_a_form(customer: Customer, client: RegisteredClient) -> None:
    _visitor, id_token = signed_in(customer, client)
    form = {"id_token_hint": id_token, "post_logout_redirect_uri": GOODBYE}
    answer = Browser().post(PATH, form, headers={"Origin": "https://app.example.com", "Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.headers["Location"]) == (303, GOODBYE)
    assert living() == 0


@pytest.mark.parametrize("address", [GOODBYE, "com.example.app:/bye"])
def test_without_an_id_token_the_user_is_asked(customer: Customer, client: RegisteredClient, address: str) -> None:
    """Anybody can send a browser here: a link, a picture, a form of another site."""
    visitor, _id_token = signed_in(customer, client)
    visitor.open(PATH, client_id=client.client_id, post_logout_redirect_uri=address, state="s")
    assert visitor.page.heading == "Sign out?"
    assert "ada@example.com" in visitor.text
    assert "Test app" in visitor.text
    policy = visitor.answer.headers["Content-Security-Policy"]
    assert ("https:" if address == GOODBYE else "com.example.app:") in policy.split("form-action")[1].split(";")[0]
    assert living() == 2
    visitor.press("Sign out")
    assert visitor.sent_to == f"{address}?state=s"
    assert living() == 0
    assert visitor.open(PATH, client_id=client.client_id).page.heading == "You are signed out"


def test_another_site_cannot_answer_for_the_user(customer: Customer, client: RegisteredClient) -> None:
    visitor, _id_token = signed_in(customer, client)
    place = f"{PATH}?client_id={client.client_id}"
    hostile = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    refused = visitor.browser.post(place, {"confirmed": "yes"}, headers=hostile)
    assert refused.status_code == 403
    form = visitor.browser.post(PATH, {"client_id": client.client_id}, headers=hostile)
    assert (form.status_code, form.headers["Location"]) == (303, f"{PATH}?client_id={client.client_id}")
    assert visitor.browser.head(place).status_code == 405
    assert living() == 2


def test_another_user_who_is_signed_in_here_stays_so(customer: Customer, client: RegisteredClient) -> None:
    _ada, id_token = signed_in(customer, client)
    eve = Visitor(customer).open(**asked_by(client, scope="openid", code_challenge=CHALLENGE))
    eve.enter_code("eve@example.com")
    eve.open(PATH, id_token_hint=id_token, post_logout_redirect_uri=GOODBYE)
    assert eve.sent_to == GOODBYE
    assert not eve.answer.cookies
    assert living() == 1
    assert eve.open(PATH, client_id=client.client_id).page.heading == "Sign out?"


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"client_id": "nobody"},
        {"post_logout_redirect_uri": "https://evil.example/"},
        {"id_token_hint": "x", "post_logout_redirect_uri": GOODBYE},
    ],
)
def test_what_cannot_be_trusted_is_a_page_and_redirects_nowhere(
    customer: Customer, client: RegisteredClient, query: dict[str, str]
) -> None:
    if "post_logout_redirect_uri" in query and "id_token_hint" not in query:
        query = {**query, "client_id": client.client_id}
    answer = Browser().get(PATH, query)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Location" not in answer.headers


def test_the_page_speaks_german(customer: Customer, client: RegisteredClient) -> None:
    visitor, _id_token = signed_in(customer, client)
    visitor.open(PATH, client_id=client.client_id, ui_locales="de")
    assert visitor.page.heading == "Abmelden?"
    assert "Test app" in visitor.text


def test_the_app_learns_whether_the_user_is_new(customer: Customer, client: RegisteredClient) -> None:
    """C4: the token answer's `is_new`."""

    def answered(visitor: Visitor) -> bool:
        code = visitor.given_back["code"]
        is_new: bool = exchange(client, code).document["user"]["is_new"]
        return is_new

    asked = asked_by(client, code_challenge=CHALLENGE)
    visitor = Visitor(customer).open(**asked)
    assert answered(visitor.enter_code("ada@example.com")) is True
    assert answered(visitor.open(**asked)) is False
    assert answered(Visitor(customer).open(**asked).enter_code("ada@example.com")) is False
