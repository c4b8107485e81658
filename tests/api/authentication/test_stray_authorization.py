"""C5: before sign-in an `Authorization` header without an API key is ignored; one that begins like a key counts as a key."""

import pytest

from apps.api_keys import keys
from demo.client import Client
from tests import factories
from tests.api.servers import Server
from tests.conftest import MakeClient

pytestmark = pytest.mark.django_db(transaction=True)

WITHOUT_A_KEY = [
    "",
    " ",
    "x",
    "Bearer",
    "Bearer ",
    "bearer x",
    "Basic dXNlcjpwYXNzd29yZA==",
    "Basic dXNlcjpwYXNz, Bearer x",
    "Negotiate YII=",
    'Digest username="ghk"',
    "Bearer eyJhbGciOiJIUzI1NiJ9.e30.ghk_AAAA",  # in the middle of a token: no key
    "Bearer \u00e9",
]
LIKE_A_KEY = [
    "ghk_live_000000000000_" + "0" * 49,
    "Bearer ghk_",
    "bearer   ghk_live_nonsense",
    "Basic ghk_live_nonsense",
    "Token ghk_live_nonsense",
    "Bearer x, Bearer ghk_live_nonsense",  # of several headers that a server has joined
]


def with_header(client: Client, value: str) -> Client:
    client.headers["Authorization"] = value
    return client


@pytest.mark.parametrize("value", WITHOUT_A_KEY)
def test_before_sign_in_a_header_without_a_key_is_ignored(client_for: MakeClient, value: str) -> None:
    """With an API key in its own header, and without one: then the default customer is meant."""
    for client in (client_for(factories.customer()), client_for(None)):
        answer = with_header(client, value).verify_otp("ada@example.com", "123456")
        assert (answer.status, answer.error_type) == (400, "invalid_otp")


def test_an_access_token_is_ignored_before_sign_in(client_for: MakeClient) -> None:
    """An app whose every request bears the token signs somebody else in."""
    customer = factories.customer()
    token = factories.session(factories.user(customer)).access
    client = with_header(client_for(customer), f"Bearer {token}")
    assert client.request_otp("bob@example.com").status == 200
    assert not client.request_otp("carol@example.com").encrypted


def test_without_a_key_it_is_still_refused_where_one_is_required(client_for: MakeClient, settings: object) -> None:
    settings.REQUIRE_API_KEY = True  # type: ignore[attr-defined]
    for value in ("Basic eDp5", "Bearer x"):
        refused = with_header(client_for(None), value).request_otp("ada@example.com")
        assert (refused.status, refused.error_type) == (401, "api_key_required")


@pytest.mark.parametrize("value", LIKE_A_KEY)
def test_what_begins_like_a_key_never_falls_back_to_the_default_customer(client_for: MakeClient, value: str) -> None:
    """C1.4."""
    refused = with_header(client_for(None), value).request_otp("ada@example.com")
    assert (refused.status, refused.error_type) == (401, "invalid_api_key")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_the_scheme_is_read_in_whatever_case(client_for: MakeClient, scheme: str) -> None:
    """RFC 9110 section 11.1."""
    _row, key = factories.api_key(factories.customer())
    assert with_header(client_for(None), f"{scheme} {key}").request_otp("ada@example.com").status == 200


def test_two_different_keys_are_refused(client_for: MakeClient) -> None:
    """C5: 400, whichever is right; the same key twice is one."""
    one, other = factories.customer(), factories.customer()
    key, another = factories.api_key(one)[1], factories.api_key(other)[1]
    for header, bearer in ((key, another), (key, keys.generate("live").text), ("nonsense", key)):
        client = client_for(None, headers={"X-OTP-API-Key": header, "Authorization": f"Bearer {bearer}"})
        refused = client.request_otp("ada@example.com")
        assert (refused.status, refused.error_type) == (400, "conflicting_api_keys")
    same = client_for(None, headers={"X-OTP-API-Key": key, "Authorization": f"Bearer {key}"})
    assert same.request_otp("ada@example.com").status == 200


@pytest.mark.parametrize("value", WITHOUT_A_KEY)
def test_servers_may_have_a_stray_header_beside_their_key_but_not_in_its_place(
    client_for: MakeClient, value: str
) -> None:
    """C1.1: K calls take no access token either."""
    server = Server(factories.customer())
    with_header(server.client, value)
    assert server.introspect("x") == {"active": False}
    refused = with_header(client_for(None), value).call("POST", "/api/auth/introspect", b'{"token": "x"}')
    assert (refused.status, refused.error_type) == (401, "invalid_api_key")


@pytest.mark.parametrize("value", ["", " ", "x", "Bearer", "Basic eDp5", "Bearer ghk_live_nonsense"])
def test_after_sign_in_a_header_without_a_token_is_refused(client_for: MakeClient, value: str) -> None:
    """C3.8: the header decides, so the cookie beside it does not count."""
    token = factories.session(factories.user(factories.customer())).access
    headers = {"Authorization": value, "Cookie": f"__Host-gatehouse_access={token}"}
    refused = client_for(None).call("GET", "/api/auth/me", headers=headers)
    assert (refused.status, refused.error_type) == (401, "authentication_required")


@pytest.mark.parametrize("joined", ["{0}, {0}", "{0},Bearer {0}", "{0} {0}", "{0}, Basic eDp5"])
def test_several_tokens_in_one_header_count_as_none(client_for: MakeClient, joined: str) -> None:
    """As a server joins headers of one name."""
    token = factories.session(factories.user(factories.customer())).access
    refused = client_for(None).call("GET", "/api/auth/me", headers={"Authorization": "Bearer " + joined.format(token)})
    assert (refused.status, refused.error_type) == (400, "malformed_token")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "])
def test_the_scheme_of_a_token_is_read_in_whatever_case(client_for: MakeClient, scheme: str) -> None:
    token = factories.session(factories.user(factories.customer())).access
    assert client_for(None).call("GET", "/api/auth/me", headers={"Authorization": f"{scheme} {token}"}).status == 200
