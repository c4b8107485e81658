"""Attacks on tokens. Each is refused, by the error that the contract names."""

import base64
import json
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

from apps.audit.models import Event
from apps.core import valkey
from apps.core.errors import GatehouseError
from apps.customers import keyring, lifecycle
from apps.customers import state as customers
from apps.tokens import emergency_rotation, parsing, sessions
from apps.tokens.models import EndReason, Session
from apps.users import lifecycle as users
from demo.client import TokenKeys, envelope
from tests import factories
from tests.conftest import MakeClient
from tests.remembering import changed

pytestmark = pytest.mark.django_db(transaction=True)


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Scene:
    """A signed-in user of one customer, and another customer beside it."""

    def __init__(self, client_for: MakeClient) -> None:
        self.customer, self.other = factories.customer(), factories.customer()
        self.user = factories.user(self.customer)
        self.pair = factories.session(self.user)
        self.client = client_for(None)

    def keys(self, customer: object = None) -> keyring.SigningKeys:
        found = customers.read((customer or self.customer).id)  # type: ignore[attr-defined]
        keys = keyring.signing_keys(found.id, keyring.current_kid(found))
        assert keys
        return keys

    def claims(self, **changes: Any) -> dict[str, Any]:
        return {**jwt.decode(self.pair.access, options={"verify_signature": False}), **changes}

    def signed(self, claims: dict[str, Any], key: Any = None, algorithm: str = "HS256", **headers: Any) -> str:
        keys = self.keys()
        return jwt.encode(
            claims,
            keys.access.decode() if key is None else key,
            algorithm=algorithm,
            headers={"typ": "at+jwt", "kid": keys.kid, **headers},
        )

    def refused_as(self, token: str) -> tuple[int, str | None]:
        headers, keys = {"Authorization": f"Bearer {token}"}, TokenKeys(token, kid="whichever")
        answer = self.client.call("GET", "/api/auth/me", headers=headers, keys=keys)
        if answer.status == 401:
            assert answer.headers["www-authenticate"].startswith("Bearer error=")
            assert not answer.encrypted
        return answer.status, answer.error_type


@pytest.fixture
def scene(client_for: MakeClient) -> Scene:
    return Scene(client_for)


def test_the_claims_are_those_of_the_contract(scene: Scene) -> None:
    """C3.1: header and claims of access and refresh tokens."""
    header = jwt.get_unverified_header(scene.pair.access)
    assert header == {"alg": "HS256", "typ": "at+jwt", "kid": scene.keys().kid}
    assert jwt.get_unverified_header(scene.pair.refresh)["typ"] == "rt+jwt"
    names = "iss aud sub customer_id email role permissions sid jti iat nbf exp token_type auth_time amr"
    assert set(scene.claims()) == set(names.split())
    assert scene.claims()["customer_id"] == str(scene.customer.id)
    keys = scene.keys()
    assert len(keys.access) == len(keys.refresh) == 128
    assert keys.access != keys.refresh


def test_a_good_token_is_accepted(scene: Scene) -> None:
    assert scene.refused_as(scene.signed(scene.claims())) == (200, None)


def test_alg_none_is_refused(scene: Scene) -> None:
    def part(document: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()

    header = {"alg": "none", "typ": "at+jwt", "kid": scene.keys().kid}
    body = f"{part(header)}.{part(scene.claims())}."
    assert scene.refused_as(body) == (400, "malformed_token")
    assert scene.refused_as(f"{body}AAAA") == (401, "invalid_token")


def test_another_algorithm_than_the_customers_is_refused(scene: Scene) -> None:
    """C3.2: a customer has one algorithm; HS512 under the right secret is as wrong as ES256 under the attacker's key."""
    assert scene.refused_as(scene.signed(scene.claims(), algorithm="HS512")) == (401, "invalid_token")
    own_key = ec.generate_private_key(ec.SECP256R1())
    assert scene.refused_as(scene.signed(scene.claims(), key=own_key, algorithm="ES256")) == (401, "invalid_token")


def test_a_foreign_kid_is_refused(scene: Scene) -> None:
    other = scene.keys(scene.other)
    token = scene.signed(scene.claims(), key=other.access.decode(), kid=other.kid)
    assert scene.refused_as(token) == (401, "invalid_token")
    assert scene.refused_as(scene.signed(scene.claims(), kid=str(uuid4()))) == (401, "invalid_token")
    assert scene.refused_as(scene.signed(scene.claims(), kid="../../etc/passwd")) == (401, "invalid_token")


def test_a_customer_cannot_sign_for_another(scene: Scene) -> None:
    """C3.3: the secret is the one of the customer that the token names."""
    keys = scene.keys(scene.other)
    claims = scene.claims(customer_id=str(scene.other.id))
    token = jwt.encode(claims, keys.access.decode(), "HS256", headers={"typ": "at+jwt", "kid": keys.kid})
    assert scene.refused_as(token)[0] == 401
    claims |= {"iss": f"https://auth.example.test/customers/{scene.other.slug}", "aud": str(scene.other.id)}
    token = jwt.encode(claims, keys.access.decode(), "HS256", headers={"typ": "at+jwt", "kid": keys.kid})
    assert scene.refused_as(token) == (401, "user_inactive")  # no such user there


def test_another_customers_session_is_worthless(scene: Scene) -> None:
    theirs = factories.session(factories.user(scene.other))
    assert scene.refused_as(scene.signed(scene.claims(sid=str(theirs.session_id)))) == (401, "session_ended")
    own_other_user = factories.user(scene.customer, "bob@example.com")
    other_session = factories.session(own_other_user)
    assert scene.refused_as(scene.signed(scene.claims(sid=str(other_session.session_id)))) == (401, "session_ended")


def test_a_refresh_token_is_no_access_token(scene: Scene) -> None:
    assert scene.refused_as(scene.pair.refresh) == (401, "invalid_token")
    keys = scene.keys()
    refresh_secret = scene.signed(scene.claims(), key=keys.refresh.decode())
    assert scene.refused_as(refresh_secret) == (401, "invalid_token")
    assert scene.refused_as(scene.signed(scene.claims(), typ="rt+jwt")) == (401, "invalid_token")
    assert scene.refused_as(scene.signed(scene.claims(token_type="refresh"))) == (401, "invalid_token")


def test_an_access_token_is_no_refresh_token(scene: Scene) -> None:
    assert scene.client.refresh(scene.pair.access).error_type == "invalid_token"


def test_a_changed_payload_is_refused_and_reported(scene: Scene) -> None:
    header, _, signature = scene.pair.access.split(".")
    changed = json.dumps({**scene.claims(), "role": "admin"}).encode()
    forged = f"{header}.{base64.urlsafe_b64encode(changed).rstrip(b'=').decode()}.{signature}"
    for _ in range(3):
        assert scene.refused_as(forged) == (401, "invalid_token")
    event = Event.objects.get(action="signature_failed")  # one, not three: garbage cannot fill the log
    assert (event.customer_id, event.severity) == (scene.customer.id, "medium")


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp", "token_type", "customer_id"])
def test_every_claim_is_needed(scene: Scene, claim: str) -> None:
    claims = scene.claims()
    del claims[claim]
    assert scene.refused_as(scene.signed(claims)) == (401, "invalid_token")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "somebody"},
        {"aud": []},
        {"nbf": int(time.time()) + 86_400},
        {"exp": "tomorrow"},
        {"iat": None},
        {"sub": 7},
        {"sid": {"a": 1}},
        {"jti": "x"},
        {"customer_id": None},
    ],
)
def test_wrong_claims_are_refused(scene: Scene, changes: dict[str, Any]) -> None:
    assert scene.refused_as(scene.signed(scene.claims(**changes))) == (401, "invalid_token")


def test_an_expired_token_is_refused_after_the_leeway(scene: Scene) -> None:
    now = int(time.time())
    assert scene.refused_as(scene.signed(scene.claims(exp=now - 20)))[0] == 200
    assert scene.refused_as(scene.signed(scene.claims(exp=now - 40))) == (401, "token_expired")
    assert Event.objects.filter(action="expired_token_replayed", severity="low").count() == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token + "=",
        lambda token: token.replace(".", ".."),
        lambda token: token + "." + token,
        lambda token: token[:-1] + ALPHABET[ALPHABET.index(token[-1]) + 1],  # stray bits at the end
        lambda token: "a" * 9000,
        lambda token: "",
        lambda token: "not a token",
        lambda token: "\u00e9.a.b",
        lambda token: token + "\n",
    ],
)
def test_only_the_canonical_form_is_a_token(scene: Scene, spoil: Any) -> None:
    """C3.9: one way to write a token."""
    with pytest.raises(GatehouseError) as error:
        parsing.parse(spoil(scene.pair.access) or ".")
    assert error.value.type == "malformed_token"


@pytest.mark.parametrize("name", ["crit", "jwk", "jku", "x5u", "x5c", "b64", "zip"])
def test_headers_that_name_keys_are_refused(scene: Scene, name: str) -> None:
    """C3.9: no crit, jwk, jku, x5u."""
    value: Any = ["exp"] if name == "crit" else "https://evil.example/key"  # present is enough, whatever it holds
    token = scene.signed(scene.claims())
    header = {**jwt.get_unverified_header(token), name: value}
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    assert scene.refused_as(".".join([encoded, *token.split(".")[1:]])) == (400, "malformed_token")


def test_duplicate_members_are_refused(scene: Scene) -> None:
    """C3.9: two parsers must not read two tokens in one text."""
    header, payload, signature = scene.pair.access.split(".")
    raw = json.dumps(scene.claims())[:-1] + ', "role": "admin"}'
    twice = base64.urlsafe_b64encode(raw.encode()).rstrip(b"=").decode()
    assert scene.refused_as(f"{header}.{twice}.{signature}") == (400, "malformed_token")
    raw = json.dumps(jwt.get_unverified_header(scene.pair.access))[:-1] + ', "alg": "none"}'
    twice = base64.urlsafe_b64encode(raw.encode()).rstrip(b"=").decode()
    assert scene.refused_as(f"{twice}.{payload}.{signature}") == (400, "malformed_token")


def test_what_a_token_says_of_role_does_not_count(scene: Scene) -> None:
    """C3.3: role and permissions are those of now."""
    token = scene.signed(scene.claims(role="admin", permissions=["everything"]))
    answer = scene.client.get("/api/auth/me", token=token)
    assert (answer.document["role"], answer.document["permissions"]) == ("company_user", [])


def test_every_change_bites_on_the_next_request(scene: Scene) -> None:
    """C3.4: role, deactivation, suspension, session end, emergency rotation."""
    now, access = timezone.now(), scene.pair.access
    who = factories.context("operator:x", now=now)
    assert scene.client.get("/api/auth/me", token=access).status == 200
    users.change(scene.user, changes={"role": "admin"}, context=who)
    assert scene.client.get("/api/auth/me", token=access).document["role"] == "admin"
    users.deactivate(scene.user, context=who)
    assert scene.refused_as(access) == (401, "user_inactive")
    users.reactivate(scene.user, context=who)
    assert scene.refused_as(access) == (200, None)
    lifecycle.suspend(scene.customer, context=who)
    assert scene.refused_as(access) == (403, "customer_suspended")
    assert scene.client.refresh(scene.pair.refresh).error_type == "customer_suspended"
    lifecycle.reactivate(scene.customer, context=who)
    assert scene.refused_as(access) == (200, None)
    sessions.end_one(
        customer_id=scene.customer.id,
        user_id=scene.user.id,
        session_id=scene.pair.session_id,
        reason=EndReason.OPERATOR,
        context=who,
    )
    assert scene.refused_as(access) == (401, "session_ended")


def test_a_deleted_user_has_no_token(scene: Scene) -> None:
    """C3.4: PostgreSQL is the truth, and a deletion is announced."""
    assert scene.refused_as(scene.pair.access) == (200, None)
    scene.user.delete()
    changed(scene.customer)
    assert scene.refused_as(scene.pair.access) == (401, "user_inactive")


def test_emergency_rotation_ends_everything_at_once(scene: Scene) -> None:
    """C3.7: emergency; the other customer does not notice."""
    theirs = factories.session(factories.user(scene.other))
    assert scene.refused_as(scene.pair.access) == (200, None)
    assert emergency_rotation.rotate_in_emergency(scene.customer, context=factories.context("operator:x")) == 1
    assert scene.refused_as(scene.pair.access) == (401, "invalid_token")
    assert scene.client.refresh(scene.pair.refresh).error_type == "invalid_token"
    assert Session.objects.get(id=scene.pair.session_id).end_reason == EndReason.EMERGENCY_ROTATION
    assert scene.refused_as(theirs.access) == (200, None)
    fresh = factories.session(scene.user)
    assert scene.refused_as(fresh.access) == (200, None)


def test_graceful_rotation_lets_old_tokens_live_out(scene: Scene) -> None:
    """C3.7: graceful, and a chosen earlier end."""
    old_kid = scene.keys().kid
    keyring.rotate_gracefully(scene.customer, context=factories.context("operator:x"))
    assert scene.refused_as(scene.pair.access) == (200, None)
    fresh = factories.session(scene.user)
    assert jwt.get_unverified_header(fresh.access)["kid"] != old_kid
    assert scene.client.refresh(scene.pair.refresh).status == 200
    now = timezone.now()
    keyring.rotate_gracefully(scene.customer, context=factories.context("operator:x", now=now), retires_at=now)
    assert scene.refused_as(scene.pair.access) == (401, "invalid_token")
    assert scene.refused_as(fresh.access) == (401, "invalid_token")


def test_a_long_lived_refresh_token_outlives_shorter_lifetimes_and_a_rotation(scene: Scene) -> None:
    """C3.7: the old secret outlives the longest token it has signed; so does that of another algorithm."""
    factories.policy(scene.customer, refresh_lifetime=90 * 86_400)
    pair = factories.session(scene.user)
    factories.policy(scene.customer, refresh_lifetime=3600, access_lifetime=300)
    keyring.rotate_gracefully(scene.customer, context=factories.context("operator:x"))
    factories.policy(scene.customer, algorithm="ES256")
    found, in_february = customers.read(scene.customer.id), timezone.now() + timedelta(days=89)
    assert found.verifies(jwt.get_unverified_header(pair.refresh)["kid"], in_february)
    assert scene.client.refresh(pair.refresh).status == 200


def test_a_body_under_the_wrong_key_is_refused_and_the_answer_encrypted(scene: Scene) -> None:
    """C2.2.3: no service key here, no other token's key, no other call's."""
    other = factories.session(scene.user)
    mine, theirs = TokenKeys(scene.pair.access), TokenKeys(other.access)
    headers = {"Authorization": f"Bearer {scene.pair.access}"}
    bodies = [
        envelope(theirs.seal({"name": "x"}, info="request PATCH /api/auth/me")),
        envelope(mine.seal({"name": "x"}, info="request POST /api/auth/logout")),
        envelope(mine.seal({"name": "x"}, info="request PATCH /api/auth/me/")),
        envelope(scene.client.seal_to_service(scene.client.stamped({"name": "x"}, "/api/auth/me"))),
        envelope("a.b.c.d.e"),
    ]
    for body in bodies:
        answer = scene.client.call("PATCH", "/api/auth/me", body, headers=headers, keys=mine)
        assert (answer.status, answer.error_type, answer.encrypted) == (400, "decryption_failed", True)
    plain = scene.client.call("PATCH", "/api/auth/me", b'{"name": "x"}', headers=headers, keys=mine)
    assert (plain.status, plain.error_type, plain.encrypted) == (400, "encryption_required", True)


def test_revocation_survives_a_flush_of_valkey(scene: Scene) -> None:
    """C3.4: Valkey may vanish at any moment without a revoked token coming back."""
    assert scene.client.post("/api/auth/logout", {}, token=scene.pair.access).status == 200
    valkey.client().flushdb()
    assert scene.refused_as(scene.pair.access) == (401, "token_revoked")
    assert scene.client.refresh(scene.pair.refresh).error_type == "session_ended"
