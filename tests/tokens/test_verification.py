"""The order of the checks: key, signature, then the current state; and what garbage may cost."""

import json
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.utils import timezone

from apps.audit.models import Event
from apps.customers import keyring
from apps.customers import state as customers
from apps.payloads.token_envelope import TokenEnvelope
from apps.tokens import minting, signing, state, verification
from apps.tokens.minting import TokenPair
from apps.tokens.signing import TokenKind
from demo.client import Answer, Client
from tests import factories
from tests.conftest import MakeClient
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
GUESSED_SECRET = "k" * 128


def forged(pair: TokenPair, *, kid: str | None = None, **changes: Any) -> str:
    """The pair's access token with other claims, signed by somebody who has no secret."""
    claims = {**jwt.decode(pair.access, options={"verify_signature": False}), **changes}
    headers = {"typ": "at+jwt", "kid": kid or jwt.get_unverified_header(pair.access)["kid"]}
    return jwt.encode(claims, GUESSED_SECRET, "HS256", headers=headers)


def read_me(client: Client, token: str) -> Answer:
    return client.call("GET", "/api/auth/me", headers={"Authorization": f"Bearer {token}"})


def test_a_forged_token_costs_no_query_whoever_it_speaks_of(client_for: MakeClient) -> None:
    """C3.3: the signature is checked before the state, so that garbage causes no queries for ids it makes up."""
    pair, client = factories.session(factories.user(factories.customer())), client_for(None)
    assert client.get("/api/auth/me", token=pair.access).status == 200
    read_me(client, forged(pair))  # this one makes the minute's event
    for changes in ({}, {"sid": str(uuid4())}, {"sub": str(uuid4())}, {"sub": str(uuid4()), "sid": str(uuid4())}):
        with counted() as cost:
            assert read_me(client, forged(pair, **changes)).error_type == "invalid_token"
        assert (cost.statements, cost.round_trips) == ([], 1)


def test_a_made_up_key_costs_one_look_up_and_then_none(client_for: MakeClient) -> None:
    pair, client = factories.session(factories.user(factories.customer())), client_for(None)
    read_me(client, forged(pair, kid=str(uuid4())))
    token = forged(pair, kid=str(uuid4()), customer_id=str(uuid4()))
    for statements in (1, 0):
        with counted() as cost:
            assert read_me(client, token).error_type == "invalid_token"
        assert (len(cost.statements), cost.round_trips) == (statements, 1)


def test_made_up_customers_do_not_fill_the_log(client_for: MakeClient) -> None:
    """C8: one event a minute from an address, and it names no customer that does not exist."""
    pair, client = factories.session(factories.user(factories.customer())), client_for(None)
    for _ in range(5):
        read_me(client, forged(pair, kid=str(uuid4()), customer_id=str(uuid4())))
    event = Event.objects.get(action="signature_failed")
    assert (event.customer_id, event.ip) == (None, "192.0.2.7")


def test_a_foreign_key_is_reported_to_the_customer_it_was_tried_on(client_for: MakeClient) -> None:
    one, other = factories.customer(), factories.customer()
    theirs = factories.session(factories.user(other))
    token = forged(factories.session(factories.user(one)), kid=jwt.get_unverified_header(theirs.access)["kid"])
    assert read_me(client_for(None), token).error_type == "invalid_token"
    assert Event.objects.get(action="signature_failed").customer_id == one.id


def test_each_customer_hears_of_what_was_tried_on_it(client_for: MakeClient) -> None:
    """C1.5: noise made at one customer does not hide an attack on another."""
    pairs = [factories.session(factories.user(factories.customer())) for _ in range(2)]
    client = client_for(None)
    for pair in (*pairs, *pairs):
        read_me(client, forged(pair))
    assert Event.objects.filter(action="signature_failed").count() == 2


def test_forgeries_are_refused_without_valkey_too(client_for: MakeClient, valkey_away: Any) -> None:
    """C3.4: an outage makes no token valid, and the log is not flooded meanwhile."""
    pair, client = factories.session(factories.user(factories.customer())), client_for(None)
    valkey_away.kill()
    assert read_me(client, forged(pair)).error_type == "invalid_token"
    assert read_me(client, forged(pair, kid=str(uuid4()))).error_type == "invalid_token"
    assert not Event.objects.filter(action="signature_failed").exists()


@pytest.mark.parametrize("issuer", ["https://evil.example", "", None, 7, ["https://auth.example.test"]])
def test_the_issuer_is_the_customers_own(client_for: MakeClient, issuer: object) -> None:
    """C3.3: even if the token is signed with the right secret and claims otherwise."""
    customer = factories.customer()
    pair = factories.session(factories.user(customer))
    standing = customers.read(customer.id)
    keys = keyring.signing_keys(customer.id, keyring.current_kid(standing))
    assert keys
    claims = {**jwt.decode(pair.access, options={"verify_signature": False}), "iss": issuer}
    headers = {"typ": "at+jwt", "kid": keys.kid}
    signer = jwt.PyJWS()  # PyJWT's own claims layer would not sign such issuers
    token = signer.encode(json.dumps(claims).encode(), keys.access.decode(), "HS256", headers=headers)
    assert read_me(client_for(None), token).error_type == "invalid_token"


@pytest.mark.parametrize("nested", ["[" * 450 + "]" * 450, '{"a":' * 120 + "1" + "}" * 120])
def test_a_deep_header_is_malformed_and_no_error_of_ours(client_for: MakeClient, nested: str) -> None:
    """C5: no input yields a 500."""
    from tests.tokens.test_parsing import part

    header = '{"alg":"HS256","typ":"at+jwt","kid":"k","x":' + nested + "}"
    assert len(header) <= 1024
    answer = read_me(client_for(None), f"{part(header.encode())}.{part(b'{}')}.AAAA")
    assert (answer.status, answer.error_type) == (400, "malformed_token")


def test_no_token_and_no_secret_shows_in_a_repr() -> None:
    """C2.4.3: no secret in a repr()."""
    customer = factories.customer()
    user = factories.user(customer)
    pair = factories.session(user, delivery="cookie")
    standing = customers.read(customer.id)
    keys = minting.signing_keys(standing, keyring.current_kid(standing))
    backend = signing.backend(keys, TokenKind.ACCESS)
    access = minting.AccessToken(backend=backend, claims={"jti": "x"})
    present = state.read(
        verification.presented(pair.access, kind=TokenKind.ACCESS, context=factories.context()), timezone.now()
    )
    assert present
    assert present.session
    assert present.session.payload_key == pair.payload_key
    shown = " ".join(map(repr, (pair, keys, backend, access, present, TokenEnvelope(kid="x", prk=pair.payload_key))))
    hidden = [*pair.access.split("."), *pair.refresh.split(".")[1:], keys.access.decode(), keys.refresh.decode()]
    assert not [secret for secret in [*hidden, repr(pair.payload_key)] if secret in shown]


def test_a_session_starts_in_two_statements() -> None:
    user = factories.user(factories.customer())
    factories.session(user)  # now the secrets are known to this process
    with counted() as cost:
        factories.session(user)
    # The session with its refresh token; are there too many others?
    assert [text.split()[0] for text in cost.statements] == ["WITH", "SELECT"]
