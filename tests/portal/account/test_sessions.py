"""Where the user is signed in, and signing out there."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.audit.models import Event
from apps.portal import browser_session
from apps.tokens.models import EndReason, Session
from apps.users.models import User
from tests import factories
from tests.conftest import MakeClient
from tests.portal.account.visiting import visitor
from tests.signin.entering import member
from tests.signin.proving import LONG_AGO

pytestmark = pytest.mark.django_db(transaction=True)
CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"


@pytest.fixture
def user() -> User:
    return member(factories.customer(slug="acme"))


def test_it_lists_the_living_ones_with_device_network_and_times(user: User) -> None:
    """None that has ended or expired, and none of anybody else."""
    factories.session(user, user_agent=IPHONE, ip="203.0.113.9", now=timezone.now() - timedelta(hours=3))
    factories.session(user, user_agent="Ended", now=timezone.now() - LONG_AGO)
    Session.objects.filter(user_agent="Ended").update(ended_at=timezone.now())
    factories.session(user, user_agent="Expired")
    Session.objects.filter(user_agent="Expired").update(expires_at=timezone.now())
    factories.session(member(user.customer, "bob@example.com"), ip="198.51.100.77")
    text = visitor(user, user_agent=CHROME, stale=True).get("sessions").text
    assert text.index("Chrome on Windows") < text.index("this browser") < text.index("Mobile Safari on iOS")
    assert "203.0.113.9 · last active 3\xa0hours ago" in text
    assert text.count("<li>") == 2
    assert "198.51.100.77" not in text
    assert " UTC</time>" in text
    assert "Mobile Safari unter iOS" in visitor(user, language="de").get("sessions").text


def test_a_session_of_an_app_bears_the_apps_name(user: User) -> None:
    app, _secret = factories.oauth_client(user.customer, name="Paint")
    foreign, _secret = factories.oauth_client(factories.customer(), name="Foreign")
    for client in (app, foreign):
        pair = factories.session(user, user_agent=IPHONE)
        Session.objects.filter(id=pair.session_id).update(oauth_client_id=client.client_id)
    markup = visitor(user).get("sessions").markup
    assert "<bdi>Paint</bdi> · Mobile Safari on iOS" in markup
    assert foreign.name not in markup  # another customer's app is nobody here


def test_using_the_pages_is_activity(user: User) -> None:
    ada = visitor(user, stale=True)
    before = Session.objects.get().last_activity_at
    ada.get()
    assert Session.objects.get().last_activity_at > before


def test_one_is_ended_at_once_and_in_the_users_name(user: User, client_for: MakeClient) -> None:
    """C3.4."""
    phone, ada = factories.session(user), visitor(user)
    ended = ada.send("sessions", {"session": phone.session_id})
    assert ended.said == "That device is signed out."
    assert str(phone.session_id) not in ended.text
    assert client_for(None).get("/api/auth/me", token=phone.access).status == 401
    event = Event.objects.get(action="session_ended")
    assert (event.actor, event.details["reason"]) == (f"user:{user.id}", "revoked")
    assert ada.get("sessions").said == ""  # it is said once


def test_ending_the_browsers_own_signs_out_here(user: User) -> None:
    ada = visitor(user)
    own = Session.objects.get(user=user)
    assert ada.post("sessions", {"session": own.id}).place == "/sign-in/acme"
    assert ada.browser.cookies[browser_session.cookie_name(user.customer_id)].value == ""
    assert ada.get("sessions").status == 302
    own.refresh_from_db()
    assert own.end_reason == EndReason.REVOKED


def test_all_others_are_ended_after_a_question(user: User) -> None:
    ada = visitor(user)
    for _ in range(2):
        factories.session(user)
    other = factories.session(member(factories.customer()))
    assert "Sign out everywhere else" in ada.get("sessions").text
    assert ada.get("sessions/end-others").status == 200
    assert Session.objects.filter(user=user, ended_at=None).count() == 3
    done = ada.send("sessions/end-others")
    assert done.said == "All other devices are signed out."
    assert "Sign out everywhere else" not in done.text
    assert Session.objects.filter(user=user, ended_at=None).count() == 1
    assert Session.objects.filter(id=other.session_id, ended_at=None).exists()


def test_no_session_of_anybody_else_can_be_ended(user: User) -> None:
    ada = visitor(user)
    neighbour = factories.session(member(user.customer, "bob@example.com"))
    stranger = factories.session(member(factories.customer()))
    for pair in (neighbour, stranger):
        assert ada.post("sessions", {"session": pair.session_id}).status == 404
        assert Session.objects.filter(id=pair.session_id, ended_at=None).exists()
    for text in ("", "x", "1", "../../x"):
        assert ada.post("sessions", {"session": text}).status == 400
