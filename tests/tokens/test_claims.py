"""C3.1: a claim of another JSON type than its RFC says makes the token invalid, even if rightly signed."""

import json
import secrets
import time
from typing import Any
from uuid import uuid4

import jwt
import pytest

from apps.customers.keyring import SigningKeys
from apps.tokens import claims, parsing, signing
from apps.tokens.errors import InvalidToken, TokenExpired
from apps.tokens.signing import TokenKind
from tests.conftest import MakeClient
from tests.tokens.test_attacks import Scene

KEYS = SigningKeys(
    kid=str(uuid4()),
    customer_id=uuid4(),
    algorithm="HS256",
    access=secrets.token_hex(64).encode(),
    refresh=secrets.token_hex(64).encode(),
)
NOT_TEXT: list[Any] = [None, True, 0, 7, 1.5, [], ["x"], {}, {"a": "b"}]
NOT_A_DATE: list[Any] = [None, True, False, "", "1893456000", "1e9", [], [1893456000], {}, -1, 10**12, 10**400, 1e300]
NOT_TEXTS: list[Any] = [None, True, 7, "x", "pwd otp", {}, {"a": "b"}, [1], [None], ["x", 7], [["x"]]]
WRONG = {"is_text": NOT_TEXT, "is_date": NOT_A_DATE, "are_texts": NOT_TEXTS}


def good(kind: TokenKind) -> dict[str, Any]:
    now = int(time.time())
    everything = {
        "iss": "https://x",
        "aud": str(KEYS.customer_id),
        "customer_id": str(KEYS.customer_id),
        "sub": str(uuid4()),
        "sid": str(uuid4()),
        "jti": str(uuid4()),
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "token_type": kind.token_type,
        "auth_time": now,
        "amr": ["pwd"],
        "email": "a@example.com",
        "role": "admin",
        "permissions": ["a.b"],
    }
    return {name: everything[name] for name in kind.claims}


def verified(kind: TokenKind, document: dict[str, Any]) -> signing.VerifiedClaims:
    key = KEYS.access if kind is TokenKind.ACCESS else KEYS.refresh
    headers = {"typ": kind.typ, "kid": KEYS.kid}
    raw = json.dumps(document, separators=(",", ":")).encode()
    text = jwt.PyJWS().encode(raw, key.decode(), "HS256", headers=headers)
    return signing.verify(parsing.parse(text), keys=KEYS, kind=kind)


@pytest.mark.parametrize("kind", TokenKind)
def test_each_claim_has_its_type(kind: TokenKind) -> None:
    assert verified(kind, good(kind)).kind is kind
    tried = 0
    for name, check in kind.claims.items():
        for value in WRONG[check.__name__.strip("_")]:
            with pytest.raises(InvalidToken):
                verified(kind, good(kind) | {name: value})
            tried += 1
        with pytest.raises(InvalidToken):
            verified(kind, {other: value for other, value in good(kind).items() if other != name})
    assert tried > 80


@pytest.mark.parametrize("kind", TokenKind)
def test_the_claims_of_each_kind_are_those_of_the_contract(kind: TokenKind) -> None:
    common = {"iss", "aud", "sub", "customer_id", "sid", "jti", "iat", "nbf", "exp", "token_type"}
    more = {
        TokenKind.ACCESS: {"auth_time", "amr", "email", "role", "permissions"},
        TokenKind.REFRESH: {"auth_time", "amr"},
    }
    assert set(kind.claims) == common | more.get(kind, set())


def test_a_date_may_have_a_fraction() -> None:
    """RFC 7519 section 2: NumericDate is a number, not an integer."""
    now = time.time()
    document = good(TokenKind.ACCESS) | {
        "iat": now - 1.5,
        "nbf": now - 1.5,
        "exp": now + 60.5,
        "auth_time": now - 90.25,
    }
    found = verified(TokenKind.ACCESS, document)
    assert (found.expires_at, found.proof.auth_time) == (int(now + 60.5), int(now - 90.25))


def test_the_type_comes_before_the_time() -> None:
    """An expired token whose claims are of a wrong type is invalid, not expired."""
    expired = good(TokenKind.ACCESS) | {"exp": int(time.time()) - 3600}
    with pytest.raises(TokenExpired):
        verified(TokenKind.ACCESS, expired)
    with pytest.raises(InvalidToken):
        verified(TokenKind.ACCESS, expired | {"sub": 7})


def test_claims_that_nobody_knows_do_no_harm() -> None:
    assert verified(TokenKind.ACCESS, good(TokenKind.ACCESS) | {"acr": 7, "scope": ["x"]})


def test_the_last_date_is_that_of_the_year_9999() -> None:
    assert claims.are_well_typed({"exp": claims.LATEST}, {"exp": claims.OF_ANY["exp"]})
    assert not claims.are_well_typed({"exp": claims.LATEST + 1}, {"exp": claims.OF_ANY["exp"]})


@pytest.mark.django_db(transaction=True)
def test_over_http_it_is_a_401_and_never_a_500(client_for: MakeClient) -> None:
    """By the customer's own secret: logout makes a date of `exp`, introspection numbers of all dates."""
    scene = Scene(client_for)
    for name, value in (
        ("exp", "1893456000"),
        ("exp", 10**20),
        ("exp", 10**400),
        ("aud", 7),
        ("sub", 7),
        ("amr", "pwd"),
    ):
        token = scene.signed(scene.claims(**{name: value}))
        assert scene.refused_as(token) == (401, "invalid_token")
        answer = scene.client.call("POST", "/api/auth/logout", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status, answer.error_type) == (401, "invalid_token")
    assert scene.refused_as(scene.signed(scene.claims())) == (200, None)
