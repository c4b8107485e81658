"""Back into an account by mail.

What asking for a link tells strangers is in `test_forgot_password_tells_nothing`, changing a password that is known in
`test_change_password`.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import ResetToken
from apps.audit.models import Event
from apps.customers import lifecycle as customers
from apps.factors.models import Totp
from apps.mail.models import Message
from apps.signin.models import Password
from tests import factories
from tests.accounts.recovering import forgot, mailed_token, reset, text_of_newest
from tests.conftest import MakeClient
from tests.races import at_once
from tests.signin.entering import EMAIL, FRESH, PASSWORD, enrol_app, generous, login, member

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_forgotten_password_is_reset(client_for: MakeClient) -> None:
    """C4 forgot-password, reset-password: ends every session of the user."""
    customer = factories.customer()
    user = member(customer)
    session = factories.session(user)
    client = client_for(customer)
    assert forgot(client).status == 200
    assert reset(client, mailed_token()).status == 200
    assert client.get("/api/auth/me", token=session.access).error_type == "session_ended"
    assert login(client, PASSWORD).status == 401
    assert login(client, FRESH).status == 200
    assert Message.objects.filter(kind="password_changed", recipient=EMAIL).count() == 1
    assert Event.objects.filter(action="password_reset", user_id=user.id).count() == 1


def test_the_token_works_once(client_for: MakeClient) -> None:
    customer = factories.customer()
    member(customer)
    client = client_for(customer)
    forgot(client)
    token = mailed_token()
    assert reset(client, token).status == 200
    again = reset(client, token, "yet another password")
    assert (again.status, again.error_type) == (400, "invalid_reset_token")
    assert login(client, FRESH).status == 200


def test_with_one_token_the_others_are_used_up(client_for: MakeClient) -> None:
    customer = factories.customer()
    member(customer)
    client = client_for(customer)
    forgot(client)
    first = mailed_token()
    forgot(client)
    assert reset(client, mailed_token()).status == 200
    assert reset(client, first).error_type == "invalid_reset_token"


def test_a_refused_token_is_written_down(client_for: MakeClient) -> None:
    """C8: an event for everything."""
    customer = factories.customer()
    assert reset(client_for(customer), "no-such-token").error_type == "invalid_reset_token"
    event = Event.objects.get(action="password_reset_rejected")
    assert (event.outcome, event.customer_id) == ("failure", customer.id)
    assert (event.details["rule"], event.details["step"]) == ("useless_link", "reset_password")


def test_it_lives_an_hour(client_for: MakeClient) -> None:
    customer = factories.customer()
    member(customer)
    client = client_for(customer)
    forgot(client)
    row = ResetToken.objects.get()
    assert row.expires_at - row.created_at == timedelta(hours=1)
    ResetToken.objects.update(expires_at=timezone.now())
    assert reset(client, mailed_token()).error_type == "invalid_reset_token"


def test_a_token_of_another_customer_is_worthless(client_for: MakeClient) -> None:
    """C1.5."""
    one, other = factories.customer(), factories.customer()
    member(one)
    member(other)
    forgot(client_for(one))
    assert reset(client_for(other), mailed_token()).error_type == "invalid_reset_token"
    assert reset(client_for(one), mailed_token()).status == 200


def test_a_refused_password_does_not_use_the_token_up(client_for: MakeClient) -> None:
    """C: nothing lost, nothing half-done."""
    customer = factories.customer()
    member(customer)
    client = client_for(customer)
    forgot(client)
    refused = reset(client, mailed_token(), "short")
    assert (refused.status, list(refused.document["error"]["fields"])) == (400, ["password"])
    assert reset(client, mailed_token()).status == 200


def test_only_a_digest_of_the_token_is_kept(client_for: MakeClient) -> None:
    customer = factories.customer()
    member(customer)
    forgot(client_for(customer))
    token = mailed_token()
    row = ResetToken.objects.get()
    assert token.encode() not in bytes(row.digest)
    assert token not in str(list(Event.objects.values()))
    assert token not in str(list(Message.objects.values()))


def test_the_link_is_built_from_settings_and_not_from_the_host(client_for: MakeClient) -> None:
    """Issue: links built from settings, never from the Host header."""
    customer = factories.customer()
    member(customer)
    client = client_for(customer, headers={"Host": "localhost", "X-Forwarded-Host": "evil.example"})
    assert forgot(client).status == 200
    text = text_of_newest("password_reset")
    assert f"https://auth.example.test/account/{customer.slug}/reset-password#token=" in text
    assert "evil.example" not in text
    assert "localhost" not in text


def test_a_customer_may_have_pages_of_its_own(client_for: MakeClient) -> None:
    customer = factories.customer(account_url="https://app.example.com/account/")
    member(customer)
    forgot(client_for(customer))
    assert "https://app.example.com/account/reset-password#token=" in text_of_newest("password_reset")


def test_a_lock_is_lifted_by_a_reset(client_for: MakeClient) -> None:
    customer = generous()
    member(customer)
    Password.objects.update(locked_until=timezone.now() + timedelta(minutes=20))
    client = client_for(customer)
    forgot(client)
    reset(client, mailed_token())
    assert login(client, FRESH).status == 200


def test_a_reset_does_not_get_around_a_second_factor(client_for: MakeClient) -> None:
    """C4: a code sent to the mailbox that reset the password is not enough either."""
    customer = factories.customer()
    enrol_app(member(customer))
    client = client_for(customer)
    forgot(client)
    assert "access_token" not in reset(client, mailed_token()).document
    asked = login(client, FRESH)
    assert asked.document["requires_2fa"] is True
    assert asked.document["methods"] == ["totp", "recovery_code"]


def test_a_user_who_never_had_a_password_gets_one(client_for: MakeClient) -> None:
    customer = factories.customer()
    factories.user(customer, EMAIL, email_verified_at=timezone.now())
    client = client_for(customer)
    forgot(client)
    assert reset(client, mailed_token()).status == 200
    assert login(client, FRESH).status == 200


def test_a_first_proof_by_reset_drops_what_a_stranger_had_set(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = member(customer, email_verified_at=None, status="pending")
    enrol_app(user)
    client = client_for(customer)
    forgot(client)
    reset(client, mailed_token())
    answer = login(client, FRESH)
    assert answer.status == 200
    assert answer.document["user"]["status"] == "active"
    assert not Totp.objects.exists()


def test_an_owner_without_a_key_gets_the_link_of_its_own_customer(client_for: MakeClient) -> None:
    customer = factories.customer()
    member(customer, is_owner=True)
    client = client_for(None)
    forgot(client)
    assert Message.objects.get().customer_id == customer.id
    assert reset(client, mailed_token()).status == 200
    assert login(client, FRESH).document["user"]["customer_id"] == str(customer.id)


def test_a_suspended_customer_answers_so(client_for: MakeClient) -> None:
    customer = factories.customer()
    member(customer, is_owner=True)
    forgot(client_for(None))
    token = mailed_token()
    customers.suspend(customer, context=factories.context("system"))
    assert reset(client_for(None), token).error_type == "customer_suspended"


def test_of_a_hundred_uses_one_resets(client_for: MakeClient) -> None:
    """Issue: races: 100 simultaneous uses of one reset token → 1."""
    customer = generous()
    member(customer)
    client = client_for(customer)
    forgot(client)
    token = mailed_token()
    statuses = at_once(100, lambda number: reset(client, token, f"password number {number}").status, threads=100)
    assert sorted(statuses) == [200] + [400] * 99


def test_of_many_tokens_used_at_once_one_resets(client_for: MakeClient) -> None:
    customer = generous()
    factories.limit(customer, "codes_per_email", 1_000)
    member(customer)
    client = client_for(customer)
    tokens = []
    for _ in range(8):
        forgot(client)
        tokens.append(mailed_token())
    statuses = at_once(8, lambda number: reset(client, tokens[number]).status)
    assert sorted(statuses) == [200] + [400] * 7


def test_tokens_cannot_be_guessed_without_end(client_for: MakeClient) -> None:
    customer = factories.customer()
    factories.limit(customer, "tries_per_ip", 3)
    client = client_for(customer)
    types = [reset(client, "guess").error_type for _ in range(4)]
    assert types == ["invalid_reset_token"] * 3 + ["rate_limited"]


def test_links_are_limited_and_count_against_the_quota(client_for: MakeClient) -> None:
    """C6: codes asked, 5 in 15 min."""
    customer = factories.customer(daily_code_quota=3)
    member(customer)
    client = client_for(customer)
    types = [forgot(client).error_type for _ in range(6)]
    assert types == [None] * 3 + ["quota_exceeded"] * 2 + ["rate_limited"]
    assert ResetToken.objects.count() == 3
