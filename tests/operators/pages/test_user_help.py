"""What operators do for a user who asks for help: each asks first, needs its right, and is an event with its actor."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Permission as Right
from django.test import Client
from django.utils import timezone

from apps.accounts.models import EmailChange
from apps.audit.models import Event
from apps.factors.models import Totp
from apps.mail import outbox
from apps.mail.models import Message
from apps.operators.sign_in import step_up
from apps.signin.models import Password
from apps.tokens.models import Session
from apps.users.models import User
from tests import factories
from tests.accounts.moving import NEW, undo, undo_token
from tests.accounts.recovering import mailed_token, reset
from tests.conftest import MakeClient
from tests.operators.limiting import give
from tests.operators.pages.asking import doing, page_of, shown
from tests.operators.signing_in import operator, sign_in
from tests.otp.reading import UNMISTAKABLE, newest_code
from tests.signin.entering import EMAIL, FRESH, enrol_app, generous, login, member

pytestmark = pytest.mark.django_db(transaction=True)
OPERATOR = "operator:ops@example.com"
WHY = {"reason": "Called back on the number in the contract"}
ACTIONS = {
    "send": {"what": "sign_in_code"},
    "end-sessions": {},
    "clear-locks": {},
    "prove-address": WHY,
    "change-address": {**WHY, "email": NEW},
    "deactivate": {},
    "erase": {},
}


def test_all_sessions_end_at_once_and_the_user_may_come_back(browser: Client, client_for: MakeClient) -> None:
    customer = factories.customer()
    user, other = factories.user(customer), factories.user(customer, "bob@example.com")
    tokens, others = [factories.session(user).access for _ in range(2)], factories.session(other).access
    assert "2 living sessions end" in shown(browser, page_of(user, "end-sessions"))
    assert not Session.objects.exclude(ended_at=None).exists(), "it only asks"
    assert "2 sessions ended" in doing(browser, user, "end-sessions")
    client = client_for(customer)
    assert [client.get("/api/auth/me", token=token).status for token in (*tokens, others)] == [401, 401, 200]
    event = Event.objects.get(action="session_ended")
    assert (event.user_id, event.actor, event.details["count"]) == (user.id, OPERATOR, 2)
    client.request_otp("ada@example.com")
    assert client.verify_otp("ada@example.com", newest_code()).status == 200


def test_a_code_goes_to_the_users_own_mailbox_and_is_never_shown(browser: Client, client_for: MakeClient) -> None:
    user = factories.user(factories.customer(**UNMISTAKABLE), email_verified_at=timezone.now())
    said = doing(browser, user, "send", what="sign_in_code")
    assert "on its way" in said
    assert newest_code() not in said
    assert Message.objects.get().recipient == "ada@example.com"
    event = Event.objects.get(action="code_requested")
    assert (event.user_id, event.actor) == (user.id, OPERATOR)
    assert client_for(user.customer).verify_otp("ada@example.com", newest_code()).status == 200


def test_limits_hold_for_operators_and_are_said(browser: Client) -> None:
    """zitadel/zitadel#12689: the button fails, and nobody learns why."""
    user = factories.user(factories.customer(code_resend_after=60))
    doing(browser, user, "send", what="sign_in_code")
    assert "wait" in doing(browser, user, "send", what="sign_in_code")
    assert Message.objects.count() == 1


@pytest.mark.parametrize("what", ["sign_in_code", "address_code", "reset_link"])
def test_what_would_reach_nobody_is_not_called_sent(browser: Client, what: str) -> None:
    """goauthentik/authentik#18391: the link of a closed account sets a password."""
    user = factories.user(factories.customer(), status="deactivated")
    assert "nothing was sent" in doing(browser, user, "send", what=what)
    assert not Message.objects.exists()
    locked = factories.user(user.customer, "bob@example.com", wrong_codes=1000)
    if what != "reset_link":
        assert "nothing was sent" in doing(browser, locked, "send", what=what)


def test_a_link_to_set_a_password_works_once(browser: Client, client_for: MakeClient) -> None:
    """goauthentik/authentik#26345 and #9781: links made by operators stop working, or lead to another mail."""
    customer = generous(code_resend_after=0)
    user = member(customer)
    assert "on its way" in doing(browser, user, "send", what="reset_link")
    client, token = client_for(customer), mailed_token()
    assert reset(client, token, FRESH).status == 200
    assert reset(client, token, FRESH).status == 400
    assert Event.objects.get(action="password_reset_requested").actor == OPERATOR
    assert login(client, FRESH).status == 200


def test_a_proven_address_is_not_proven_again(browser: Client) -> None:
    user = factories.user(factories.customer(), email_verified_at=timezone.now())
    assert "proven already" in doing(browser, user, "send", what="address_code")
    assert "proven already" in doing(browser, user, "prove-address", **WHY)
    assert not Event.objects.filter(action="email_verified").exists()


def test_the_address_is_proven_for_a_reason_and_nothing_of_a_stranger_stays(
    browser: Client, client_for: MakeClient
) -> None:
    """zitadel/zitadel#12146: it takes no change of the address. Who registered it may be somebody else: C4."""
    customer = generous(demands_verified_email=True)
    user = member(customer, email_verified_at=None, status="pending")
    enrol_app(user)
    token = factories.session(user).access
    assert browser.post(page_of(user, "prove-address")).status_code == 200, "it asks for the reason"
    assert "no addresses" in doing(browser, user, "prove-address", reason="says bob@example.com").lower()
    assert User.objects.get().email_verified_at is None
    doing(browser, user, "prove-address", **WHY)
    user.refresh_from_db()
    assert (user.status, user.email_verified_at is not None) == ("active", True)
    event = Event.objects.get(action="email_verified")
    assert (event.actor, event.details["reason"]) == (OPERATOR, WHY["reason"])
    assert not Password.objects.exists()
    assert not Totp.objects.exists()
    assert client_for(customer).get("/api/auth/me", token=token).status == 401
    codes = Message.objects.filter(kind="verify_email_code")
    assert not codes.exists(), "zitadel/zitadel#7762: no mail asks to prove what is proven"


def test_the_address_is_changed_and_the_old_one_told(browser: Client, client_for: MakeClient) -> None:
    """The user stays who it is; codes that lie in the old mailbox are void (supabase/auth#2757)."""
    customer = generous(code_resend_after=0)
    user = member(customer)
    enrol_app(user)
    client, token = client_for(customer), factories.session(user).access
    client.request_otp(EMAIL)
    old_code = newest_code()
    doing(browser, user, "change-address", **WHY, email=NEW)
    user.refresh_from_db()
    assert (user.email, user.email_verified_at is not None) == (NEW, True)
    told = Message.objects.get(kind="email_changed")
    assert told.recipient == EMAIL
    assert NEW not in outbox.content_of(told).text, "masked"
    event = Event.objects.get(action="email_changed")
    assert (event.actor, event.details) == (OPERATOR, {"reason": WHY["reason"]})
    assert client.get("/api/auth/me", token=token).document["email"] == NEW
    assert client.verify_otp(EMAIL, old_code).status == 400
    assert Totp.objects.exists(), "another address is no way around the second factor"
    assert undo(client, undo_token()).status == 200
    user.refresh_from_db()
    assert user.email == EMAIL


def test_a_lost_mailbox_cannot_take_the_account_back(browser: Client, client_for: MakeClient) -> None:
    """It is told all the same, but earlier links to it are void."""
    customer = generous(code_resend_after=0)
    user = member(customer)
    doing(browser, user, "change-address", **WHY, email="third@example.org")
    earlier = undo_token()
    doing(browser, user, "change-address", **WHY, email=EMAIL)
    doing(browser, user, "change-address", **WHY, email=NEW, old_is_lost="on")
    told = Message.objects.filter(kind="email_changed", recipient=EMAIL).order_by("-id")[0]
    assert "undo-email-change" not in outbox.content_of(told).text
    assert undo(client_for(customer), earlier).status == 400
    assert User.objects.get().email == NEW
    assert EmailChange.objects.filter(undo_until__gt=timezone.now()).count() == 1, "of the other mailbox"


def test_a_mistyped_address_is_mended_and_its_reader_gets_nothing(browser: Client, client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer, email_verified_at=None)
    doing(browser, user, "change-address", **WHY, email=NEW)
    told = outbox.content_of(Message.objects.get(recipient=EMAIL)).text
    assert "undo-email-change" not in told
    assert "example.org" not in told
    assert not Password.objects.exists(), "whoever set it had not proven the address"


def test_an_address_of_another_user_is_refused_and_nothing_changes(browser: Client) -> None:
    customer = factories.customer()
    user = member(customer)
    member(customer, NEW)
    member(factories.customer(), "other@example.com")
    assert "Another account here has this address" in doing(browser, user, "change-address", **WHY, email=NEW)
    assert "has this address already" in doing(browser, user, "change-address", **WHY, email=EMAIL)
    assert "Enter an email address" in doing(browser, user, "change-address", **WHY, email="nonsense")
    assert not Message.objects.exists()
    assert not Event.objects.filter(action="email_changed").exists()
    assert "changed" in doing(browser, user, "change-address", **WHY, email="other@example.com"), "another customer's"


def test_all_locks_are_cleared_at_once(browser: Client, client_for: MakeClient) -> None:
    """keycloak/keycloak#1361: an operator unlocks a user, who can sign in at that moment."""
    customer = factories.customer()
    factories.limit(customer, "tries_per_email", 6)
    user = member(customer, wrong_codes=1000, wrong_second_factors=1000)
    client = client_for(customer)
    for _ in range(6):
        login(client, "a guess")
    assert Password.objects.get().locked_until is not None
    assert login(client).status in (401, 429)
    doing(browser, user, "clear-locks")
    user.refresh_from_db()
    assert (user.wrong_codes, user.wrong_second_factors) == (0, 0)
    assert Password.objects.get().locked_until is None
    client_elsewhere = client_for(customer, ip="198.51.100.7")
    assert login(client_elsewhere).status == 200
    assert Event.objects.get(action="wrong_codes_cleared").actor == OPERATOR


@pytest.mark.parametrize(("name", "facts"), ACTIONS.items())
def test_each_action_needs_its_right_and_a_post(browser: Client, name: str, facts: dict[str, str]) -> None:
    user = factories.user(factories.customer(), wrong_codes=7)
    token = factories.session(user)
    clerk = operator("clerk@example.com", is_superuser=False)
    give(clerk, Right.objects.filter(codename__startswith="view_"))
    before = [*User.objects.values(), *Session.objects.values()]
    visitor = sign_in("clerk@example.com")
    assert f"/{name}/" not in shown(visitor, page_of(user, "change"))
    for send in (visitor.get, visitor.post):
        assert send(page_of(user, name), facts).status_code == 403
    shown(browser, page_of(user, name))
    assert [*User.objects.values(), *Session.objects.values()] == before, token
    assert not Message.objects.exists()


@pytest.mark.parametrize("name", ["send", "end-sessions", "change-address"])
def test_a_user_who_is_gone_is_no_server_error(browser: Client, name: str) -> None:
    user = factories.user(factories.customer())
    path = page_of(user, name)
    User.objects.all().delete()
    answer = browser.post(path, ACTIONS[name])
    assert (answer.status_code, urlsplit(answer["Location"]).path) == (302, "/admin/users/user/")


def test_old_links_are_bounded_in_time(browser: Client) -> None:
    doing(browser, member(factories.customer()), "change-address", **WHY, email=NEW)
    until = EmailChange.objects.get().undo_until
    assert until is not None
    assert abs(until - timezone.now() - timedelta(days=7)) < timedelta(hours=1)


@pytest.mark.parametrize("name", ["change-address", "erase"])
def test_what_gives_an_account_away_asks_who_is_there(browser: Client, name: str) -> None:
    """Somebody at a desk that was left alone does not get it by a click."""
    user = factories.user(factories.customer())
    session = browser.session
    session[step_up.PROVEN] = [timezone.now().timestamp() - timedelta(minutes=11).total_seconds(), step_up.PASSWORD]
    session.save()
    asked = browser.post(page_of(user, name), ACTIONS[name])
    assert asked.status_code == 200, "the question again, with a proof"
    assert User.objects.get().email == "ada@example.com"
