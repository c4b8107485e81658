"""C2.1.3: a request is used once. For one that begins a session PostgreSQL enforces it too: its answer has tokens in clear."""

from collections.abc import Callable

import pytest

from apps.core import valkey
from apps.tokens.models import Session
from demo.client import Answer, Client, envelope
from tests import factories
from tests.conftest import MakeClient
from tests.copies import copy_of_valkey
from tests.factors.authenticator import Authenticator
from tests.factors.enrolling import enrol_passkey
from tests.races import at_once
from tests.signin.entering import EMAIL, PASSWORD, generous, member

pytestmark = pytest.mark.django_db(transaction=True)


def recorded(client: Client, path: str, **fields: object) -> Callable[[], Answer]:
    """Somebody on the way has copied this request, and sends it as often as they like."""
    body = envelope(client.seal_to_service(client.stamped(fields, path)))
    return lambda: client.call("POST", path, body)


def by_password(client: Client) -> Callable[[], Answer]:
    return recorded(client, "/api/auth/login", email=EMAIL, password=PASSWORD)


@pytest.mark.parametrize("lost", ["restored", "emptied"])
def test_a_login_that_is_sent_again_begins_no_second_session(client_for: MakeClient, lost: str) -> None:
    customer = generous()
    member(customer)
    send_it = by_password(client_for(customer))
    put_back = copy_of_valkey() if lost == "restored" else valkey.client().flushdb
    assert send_it().status == 200
    assert send_it().error_type == "replayed_request"
    put_back()
    answer = send_it()
    assert (answer.status, answer.error_type) == (409, "replayed_request")
    assert Session.objects.count() == 1


def test_nor_does_a_passkeys_answer(client_for: MakeClient) -> None:
    customer = generous()
    client, device = client_for(customer), Authenticator()
    enrol_passkey(client, factories.session(member(customer)).access, device)
    options = client.before_sign_in("/api/auth/passkey/options", {}).document
    credential = device.get(options)
    send_it = recorded(client, "/api/auth/passkey/verify", credential=credential)
    put_back, sessions = copy_of_valkey(), Session.objects.count()
    assert send_it().status == 200
    for once_more in (send_it, recorded(client, "/api/auth/passkey/verify", credential=credential)):
        put_back()
        assert once_more().error_type == "invalid_passkey", "what was signed is used, in whatever request it comes"
    assert Session.objects.count() == sessions + 1


def test_of_many_at_once_while_valkey_forgets_one_begins_a_session(client_for: MakeClient) -> None:
    customer = generous()
    member(customer)
    send_it = by_password(client_for(customer))

    def again(_number: int) -> int:
        valkey.client().flushdb()
        return send_it().status

    statuses = at_once(8, again, threads=8)
    assert statuses.count(200) == 1, statuses
    assert set(statuses) <= {200, 409}
    assert Session.objects.count() == 1


def test_the_same_jti_is_another_request_at_another_time(client_for: MakeClient) -> None:
    """Once per customer in that time, says the contract: a client that counts its `jti` up and around is served."""
    customer = generous()
    member(customer)
    client = client_for(customer)
    for seconds_ago in (100, 0):
        fields = client.stamped({"email": EMAIL, "password": PASSWORD}, "/api/auth/login")
        fields |= {"jti": "0000-0000-0000-0001", "iat": fields["iat"] - seconds_ago}
        valkey.client().flushdb()
        body = envelope(client.seal_to_service(fields))
        assert client.call("POST", "/api/auth/login", body).status == 200


def test_two_customers_may_use_the_same_jti(client_for: MakeClient) -> None:
    """C1.5"""
    for _ in range(2):
        customer = generous()
        member(customer)
        client = client_for(customer)
        fields = client.stamped({"email": EMAIL, "password": PASSWORD}, "/api/auth/login")
        body = envelope(client.seal_to_service({**fields, "iat": fields["iat"], "jti": "0000-0000-0000-0001"}))
        assert client.call("POST", "/api/auth/login", body).status == 200
