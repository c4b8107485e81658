"""What each way in costs: Argon2 hashes, SQL statements, transactions, round trips to Valkey."""

import pytest

from tests import factories
from tests.conftest import MakeClient
from tests.factors.authenticator import Authenticator
from tests.factors.enrolling import enrol_passkey
from tests.signin.entering import enrol_app, generous, login, member, second
from tests.signin.observing import observed

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_sign_in_by_password(client_for: MakeClient) -> None:
    customer = generous()
    member(customer)
    client = client_for(customer)
    client.get("/api/auth/me", token=login(client).document["access_token"])  # fills what is remembered
    with observed() as seen:
        assert login(client).status == 200
    # The user with its password, the user locked, the password unchanged, factors; session with its refresh token, noted on the user,
    # with its event; surplus sessions, known devices; and roles, which within a transaction are read and not kept.
    assert (seen.argon2_hashes, seen.statements, seen.transactions) == (1, 7, 1)
    # Replay, tries of the network with those for the address.
    assert seen.round_trips == 2


def test_a_first_factor_and_a_second(client_for: MakeClient) -> None:
    customer = generous()
    app = enrol_app(member(customer))
    client = client_for(customer)
    login(client)
    with observed() as first:
        token = login(client).document["session_token"]
    # The user, the user locked, the password unchanged, factors, the challenge, the event.
    assert (first.argon2_hashes, first.statements, first.transactions) == (1, 6, 1)
    second(client, token, "totp", code="000000")
    with observed() as then:
        assert second(client, token, "totp", code=app.now()).status == 200
    # The challenge, factors, one of its tries; the user locked, the app, its step; the challenge used up, factors again;
    # session with its refresh token, noted on the user, with its event; surplus sessions, roles, known devices.
    assert (then.argon2_hashes, then.statements, then.transactions) == (0, 12, 1)


def test_a_passkey_alone(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = member(customer)
    client, device = client_for(customer), Authenticator()
    enrol_passkey(client, factories.session(user).access, device)
    client.before_sign_in("/api/auth/passkey/options", {})
    with observed() as asking:
        options = client.before_sign_in("/api/auth/passkey/options", {}).document
    # Replay, the challenge.
    assert (asking.statements, asking.round_trips) == (0, 2)
    credential = device.get(options)
    with observed() as signing_in:
        assert client.before_sign_in("/api/auth/passkey/verify", {"credential": credential}).status == 200
    assert (signing_in.argon2_hashes, signing_in.transactions) == (0, 1)
    assert signing_in.statements == 8
