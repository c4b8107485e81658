"""Changing the password while signed in: what it ends, and what somebody with a stolen session can do with it."""

import pytest

from apps.mail.models import Message
from apps.signin.models import Password
from apps.tokens.models import Session
from demo.client import Answer, Client
from tests import factories
from tests.conftest import MakeClient
from tests.otp.reading import newest_code
from tests.races import at_once
from tests.signin.entering import EMAIL, FRESH, PASSWORD, enrol_app, generous, login, member, second

pytestmark = pytest.mark.django_db(transaction=True)


def change(client: Client, token: str, current: str = PASSWORD, fresh: str = FRESH) -> Answer:
    return client.post("/api/auth/change-password", {"current_password": current, "password": fresh}, token=token)


def test_changing_the_password_ends_the_other_sessions(client_for: MakeClient) -> None:
    """C4 change-password."""
    customer = factories.customer()
    user = member(customer)
    here, there = factories.session(user), factories.session(user)
    client = client_for(customer)
    assert change(client, here.access).status == 200
    assert client.get("/api/auth/me", token=here.access).status == 200
    assert client.get("/api/auth/me", token=there.access).error_type == "session_ended"
    assert login(client, PASSWORD).status == 401
    assert login(client, FRESH).status == 200
    assert Message.objects.filter(kind="password_changed").count() == 1


def test_a_stolen_token_does_not_change_the_password_and_guessing_locks_and_ends(client_for: MakeClient) -> None:
    """A mail tells the user of the lock. The session's ten tries end the guessing and use up no second factor's."""
    customer = generous()
    user = member(customer)
    session = factories.session(user)
    client = client_for(customer)
    for _ in range(5):
        refused = change(client, session.access, "a wild guess")
        assert (refused.status, refused.error_type, refused.encrypted) == (400, "invalid_password", True)
    assert Password.objects.get().locked_until is not None
    factories.limit(customer, "second_factors_per_user", 5)
    for _ in range(5):
        assert change(client, session.access, "a wild guess").error_type == "invalid_password"
    assert change(client, session.access).error_type == "session_ended"
    assert Session.objects.get(id=session.session_id).ended_at is not None
    app = enrol_app(user)
    client.request_otp(EMAIL)
    challenge = client.verify_otp(EMAIL, newest_code()).document
    assert second(client, challenge["session_token"], "totp", code=app.now()).status == 200


def test_strangers_do_not_keep_a_signed_in_user_from_changing_the_password(client_for: MakeClient) -> None:
    """A thief neither locks it nor uses up the tries of the address."""
    customer = generous()
    session = factories.session(member(customer))
    stranger = client_for(customer, ip="198.51.100.9")
    for _ in range(5):
        login(stranger, "a wild guess")
    factories.limit(customer, "tries_per_email", 1)
    assert login(stranger).error_type == "rate_limited"
    client = client_for(customer)
    assert change(client, session.access).status == 200
    factories.limit(customer, "tries_per_email", 1_000)
    assert login(client, FRESH).status == 200


def test_a_right_password_breaks_the_row_of_wrong_ones(client_for: MakeClient) -> None:
    """C4: five wrong *in a row*."""
    customer = generous()
    session = factories.session(member(customer))
    client = client_for(customer)
    for _ in range(4):
        change(client, session.access, "a wild guess")
    assert change(client, session.access, fresh="short").error_type == "validation_error"
    change(client, session.access, "a wild guess")
    assert Password.objects.get().locked_until is None
    assert change(client, session.access).status == 200


def test_guesses_count_for_the_network_as_well(client_for: MakeClient) -> None:
    """C6: 20 in 15 min per IP."""
    customer = generous()
    factories.limit(customer, "tries_per_ip", 2)
    session = factories.session(member(customer))
    client = client_for(customer)
    types = [change(client, session.access, "a wild guess").error_type for _ in range(3)]
    assert types == ["invalid_password"] * 2 + ["rate_limited"]


def test_of_many_changes_at_once_one_holds(client_for: MakeClient) -> None:
    """Else a thief's change could come right after the reset that took the password away."""
    customer = generous()
    session = factories.session(member(customer))
    client = client_for(customer)
    fresh = [f"password number {number}" for number in range(6)]
    statuses = at_once(6, lambda number: change(client, session.access, fresh=fresh[number]).status)
    assert sorted(statuses) == [200] + [400] * 5
    Password.objects.update(wrong_in_a_row=0, locked_until=None)
    assert login(client, fresh[statuses.index(200)]).status == 200


def test_the_new_password_is_checked_too(client_for: MakeClient) -> None:
    customer = factories.customer()
    session = factories.session(member(customer))
    refused = change(client_for(customer), session.access, fresh="password")
    assert list(refused.document["error"]["fields"]) == ["password"]
