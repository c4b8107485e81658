"""Tokens of all five algorithms (contract 3.2), and the attacks on each. What verifies is the version's one algorithm, never the token's."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cache
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.utils import timezone

from apps.audit.models import Event
from apps.core.ciphers import P256_ORDER
from apps.customers import keyring
from apps.customers import state as customers
from apps.customers.keyring import SigningKeys
from apps.customers.models import Customer
from apps.customers.policy import Algorithm
from apps.tokens import signing
from tests import factories
from tests.conftest import MakeClient
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
EVERY_ALGORITHM = Algorithm.values
KEY_PAIRS = ["ES256", "EdDSA", "RS256"]
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493  # L of RFC 8032 section 5.1


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """When it is asked for: each process of a run reads this file."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=3072)


@cache
def private_key(pem: bytes) -> Any:
    """Read once: to find that the numbers of an RSA key are primes takes 200 ms of CPU."""
    return load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)


class Scene:
    """A signed-in user of a customer with this algorithm."""

    def __init__(self, client_for: MakeClient, algorithm: str) -> None:
        self.customer = factories.customer(algorithm=algorithm)
        self.user = factories.user(self.customer)
        self.pair = factories.session(self.user)
        self.client = client_for(None)

    def keys(self, of: Customer | None = None) -> SigningKeys:
        found = customers.read((of or self.customer).id)
        keys = keyring.signing_keys(found.id, keyring.current_kid(found))
        assert keys
        return keys

    def claims(self, token: str | None = None, **changes: Any) -> dict[str, Any]:
        return {**jwt.decode(token or self.pair.access, options={"verify_signature": False}), **changes}

    def signed(self, claims: dict[str, Any], *, key: Any = None, algorithm: str | None = None, **headers: Any) -> str:
        """By PyJWT's own ES256: any signature of that will do here."""
        keys = self.keys()
        headers = {"typ": "at+jwt", "kid": keys.kid, **headers}
        secret = keys.access.decode() if key is None else key
        if isinstance(secret, str) and secret.startswith("-----BEGIN"):
            secret = private_key(secret.encode())
        return canonical(jwt.encode(claims, secret, algorithm or keys.algorithm, headers=headers))

    def refused_as(self, token: str) -> tuple[int, str | None]:
        answer = self.client.call("GET", "/api/auth/me", headers={"Authorization": f"Bearer {token}"})
        return answer.status, answer.error_type


@pytest.fixture
def scene(client_for: MakeClient, request: pytest.FixtureRequest) -> Scene:
    return Scene(client_for, request.param)


def of(*algorithms: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("scene", algorithms, indirect=True)


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def with_signature(token: str, signature: bytes) -> str:
    return f"{token.rpartition('.')[0]}.{encode(signature)}"


def halves(token: str) -> tuple[int, int]:
    raw = decode(token.rpartition(".")[2])
    return int.from_bytes(raw[:32]), int.from_bytes(raw[32:])


def canonical(token: str) -> str:
    """With the lower s, if it is an ECDSA signature."""
    if jwt.get_unverified_header(token)["alg"] != "ES256":
        return token
    r, s = halves(token)
    return with_signature(token, r.to_bytes(32) + min(s, P256_ORDER - s).to_bytes(32))


@of(*EVERY_ALGORITHM)
def test_a_user_is_signed_in_and_refreshes(scene: Scene) -> None:
    """C3.1, C3.2: header and claims are the same whatever signs."""
    header = jwt.get_unverified_header(scene.pair.access)
    assert header == {"alg": scene.customer.algorithm, "typ": "at+jwt", "kid": scene.keys().kid}
    assert scene.refused_as(scene.pair.access) == (200, None)
    assert scene.refused_as(scene.signed(scene.claims())) == (200, None)
    fresh = scene.client.refresh(scene.pair.refresh).document
    assert jwt.get_unverified_header(fresh["refresh_token"])["alg"] == scene.customer.algorithm
    assert scene.refused_as(fresh["access_token"]) == (200, None)


@of(*EVERY_ALGORITHM)
def test_the_successor_is_the_same_again_byte_for_byte(scene: Scene) -> None:
    """C3.6: within the grace, for all simultaneous requests."""
    answers = at_once(8, lambda _: scene.client.refresh(scene.pair.refresh).document, threads=4)
    assert len({(answer["access_token"], answer["refresh_token"]) for answer in answers}) == 1


@of(*EVERY_ALGORITHM)
def test_each_kind_of_token_has_its_own_key(scene: Scene) -> None:
    """C3.1: a refresh token is no access token, and neither is a token signed with its key."""
    assert scene.refused_as(scene.pair.refresh) == (401, "invalid_token")
    assert scene.client.refresh(scene.pair.access).error_type == "invalid_token"
    by_refresh_key = scene.signed(scene.claims(), key=scene.keys().refresh.decode())
    assert scene.refused_as(by_refresh_key) == (401, "invalid_token")
    for typ in ("rt+jwt", "2fa+jwt", "JWT", "at+JWT", "application/at+jwt"):
        assert scene.refused_as(scene.signed(scene.claims(), typ=typ)) == (401, "invalid_token")


@of(*EVERY_ALGORITHM)
def test_none_is_no_algorithm(scene: Scene) -> None:
    for alg in ("none", "None", "NONE", ""):
        header = encode(json.dumps({"alg": alg, "typ": "at+jwt", "kid": scene.keys().kid}).encode())
        text = f"{header}.{encode(json.dumps(scene.claims()).encode())}"
        assert scene.refused_as(f"{text}.") == (400, "malformed_token")
        assert scene.refused_as(f"{text}.AAAA") == (401, "invalid_token")


@of(*KEY_PAIRS)
@pytest.mark.parametrize("hmac", ["HS256", "HS384", "HS512"])
def test_what_is_published_is_no_shared_secret(scene: Scene, hmac: str) -> None:
    """The classic confusion: HMAC under the public key, in every form that an attacker finds it in."""
    private = private_key(scene.keys().access)
    assert isinstance(private, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey)
    public, jwk = private.public_key(), signing.public_jwk(scene.keys())
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert jwk
    number = jwk.get("x") or jwk["n"]
    secrets = [pem, pem.strip(), der, json.dumps(jwk).encode(), number.encode(), decode(number)]
    for secret in secrets:
        for headers in ({}, {"alg": scene.customer.algorithm}):
            assert scene.refused_as(under_hmac(scene, secret, hmac, headers)) == (401, "invalid_token")


def under_hmac(scene: Scene, secret: bytes, algorithm: str, more: dict[str, Any]) -> str:
    """A JWS made by hand: PyJWT refuses to sign with such secrets."""
    import hmac as digests

    header = {"alg": algorithm, "typ": "at+jwt", "kid": scene.keys().kid, **more}
    text = f"{encode(json.dumps(header).encode())}.{encode(json.dumps(scene.claims()).encode())}"
    return f"{text}.{encode(digests.digest(secret, text.encode(), f'sha{algorithm[2:]}'))}"


@of(*EVERY_ALGORITHM)
def test_another_algorithm_than_the_versions_is_refused(scene: Scene) -> None:
    """C3.2: also when the signature is right for the algorithm that the token names."""
    own = {
        "HS256": "k" * 64,
        "HS512": "k" * 64,
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "ES384": ec.generate_private_key(ec.SECP384R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        "RS256": rsa_key(),
        "PS256": rsa_key(),
        "RS512": rsa_key(),
    }
    for algorithm, key in own.items():
        assert scene.refused_as(scene.signed(scene.claims(), key=key, algorithm=algorithm)) == (401, "invalid_token")
    same_secret = {"HS256": "HS512", "HS512": "HS256"}.get(scene.customer.algorithm)
    if same_secret:
        assert scene.refused_as(scene.signed(scene.claims(), algorithm=same_secret)) == (401, "invalid_token")


@of(*EVERY_ALGORITHM)
def test_another_customers_key_signs_for_nobody_else(scene: Scene) -> None:
    """C1.5: cross-kid, in every combination of kid, key and claim."""
    other = scene.keys(factories.customer(algorithm=scene.customer.algorithm))
    theirs = {"key": other.access.decode()}
    tokens = [
        scene.signed(scene.claims(), kid=other.kid, **theirs),
        scene.signed(scene.claims(), **theirs),
        scene.signed(scene.claims(), kid=other.kid),
        scene.signed(scene.claims(customer_id=str(other.customer_id)), kid=other.kid, **theirs),
        scene.signed(scene.claims(), kid=str(uuid4())),
    ]
    assert [scene.refused_as(token)[0] for token in tokens] == [401] * len(tokens)


def test_two_versions_of_two_algorithms_do_not_mix(client_for: MakeClient) -> None:
    """C3.7: after a change of algorithm each kid verifies by its own; then the old one retires."""
    scene = Scene(client_for, "HS256")
    old, old_pair = scene.keys(), scene.pair
    factories.policy(scene.customer, algorithm="ES256")
    new = scene.keys()
    scene.pair = factories.session(scene.user)
    assert [scene.refused_as(pair.access) for pair in (old_pair, scene.pair)] == [(200, None)] * 2
    fresh = scene.client.refresh(old_pair.refresh).document
    assert jwt.get_unverified_header(fresh["access_token"])["alg"] == "ES256"
    mixed = [
        scene.signed(scene.claims(), key=old.access.decode(), algorithm="HS256", kid=new.kid),
        scene.signed(scene.claims(), key=new.access.decode(), algorithm="ES256", kid=old.kid),
    ]
    public = private_key(new.access).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    mixed += [under_hmac(scene, pem, "HS256", {"kid": kid}) for kid in (old.kid, new.kid)]
    assert [scene.refused_as(token) for token in mixed] == [(401, "invalid_token")] * 4
    now = timezone.now()
    keyring.rotate_gracefully(scene.customer, context=factories.context("operator:x", now=now), retires_at=now)
    assert scene.refused_as(old_pair.access) == (401, "invalid_token")


@of("ES256")
def test_the_other_valid_signature_of_a_token_is_refused(scene: Scene) -> None:
    """C3.9: (r, n - s) verifies too, so that anybody could write a genuine token in a second way."""
    r, s = halves(scene.pair.access)
    other = with_signature(scene.pair.access, r.to_bytes(32) + (P256_ORDER - s).to_bytes(32))
    public = private_key(scene.keys().access).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    jwt.decode(other, public, ["ES256"], audience=str(scene.customer.id))  # a library would take it
    assert scene.refused_as(other) == (401, "invalid_token")


@of("ES256")
def test_other_encodings_of_a_signature_are_refused(scene: Scene) -> None:
    """RFC 7518 section 3.4: 64 bytes; no DER, no other length, no zeros (CVE-2022-21449)."""
    r, s = halves(scene.pair.access)
    raw = r.to_bytes(32) + s.to_bytes(32)
    wrong = [
        encode_dss_signature(r, s),
        b"\0" + raw,
        raw + b"\0",
        raw[:-1],
        r.to_bytes(33) + s.to_bytes(33),
        b"\0" * 64,
        raw[:32] + b"\0" * 32,
        b"\0" * 32 + raw[32:],
        P256_ORDER.to_bytes(32) + raw[32:],
        raw[:32] + P256_ORDER.to_bytes(32),
        s.to_bytes(32) + r.to_bytes(32),
    ]
    refused = [scene.refused_as(with_signature(scene.pair.access, signature)) for signature in wrong]
    assert refused == [(401, "invalid_token")] * len(wrong)


@of("RS256")
def test_an_rsa_signature_has_one_form(scene: Scene) -> None:
    """RFC 8017 section 8.2.2: as long as the modulus, below it, and PKCS #1 v1.5 padding alone; no PSS under the same key."""
    private = private_key(scene.keys().access)
    assert isinstance(private, rsa.RSAPrivateKey)
    assert private.key_size == 3072
    raw = decode(scene.pair.access.rpartition(".")[2])
    number, modulus = int.from_bytes(raw), private.public_key().public_numbers().n
    wrong = [raw[:-1], b"\0" + raw, raw + b"\0", b"\0" * 384, b"\0" * 383 + b"\1", (modulus - 1).to_bytes(384)]
    if number + modulus < 2**3072:
        wrong.append((number + modulus).to_bytes(384))
    assert [scene.refused_as(with_signature(scene.pair.access, one)) for one in wrong] == [
        (401, "invalid_token")
    ] * len(wrong)
    pss = scene.signed(scene.claims(), algorithm="PS256")
    assert scene.refused_as(pss) == (401, "invalid_token")


@of("EdDSA")
def test_an_ed25519_signature_has_one_form(scene: Scene) -> None:
    """RFC 8032 section 5.1.7: S is below the group's order; R and S + L are no second signature."""
    raw = decode(scene.pair.access.rpartition(".")[2])
    s = int.from_bytes(raw[32:], "little")
    wrong = [
        raw[:32] + (s + ED25519_ORDER).to_bytes(32, "little"),
        b"\0" * 64,
        raw[:-1],
        raw + b"\0",
        b"\1" + b"\0" * 63,
    ]
    refused = [scene.refused_as(with_signature(scene.pair.access, signature)) for signature in wrong]
    assert refused == [(401, "invalid_token")] * len(wrong)


@of(*EVERY_ALGORITHM)
def test_a_tampered_token_is_refused_and_reported_once(scene: Scene) -> None:
    """C8: header, payload, signature."""
    header, payload, signature = scene.pair.access.split(".")
    admin = encode(json.dumps(scene.claims(role="admin")).encode())
    other_header = encode(json.dumps({**jwt.get_unverified_header(scene.pair.access), "x": 1}).encode())
    flipped = bytearray(decode(signature))
    flipped[20] ^= 1
    for token in (
        f"{header}.{admin}.{signature}",
        f"{other_header}.{payload}.{signature}",
        f"{header}.{payload}.{encode(bytes(flipped))}",
    ):
        assert scene.refused_as(token) == (401, "invalid_token")
    assert Event.objects.filter(action="signature_failed", customer_id=scene.customer.id).count() == 1


@of(*KEY_PAIRS)
def test_a_key_in_the_header_is_not_used(scene: Scene) -> None:
    """C3.9: jwk, jku, x5u, x5c."""
    mine = ec.generate_private_key(ec.SECP256R1())
    jwk = jwt.algorithms.ECAlgorithm.to_jwk(mine.public_key(), as_dict=True)
    for name, value in {"jwk": jwk, "jku": "https://evil.example/jwks.json", "x5c": ["MII"], "x5u": "x"}.items():
        token = scene.signed(scene.claims(), key=mine, algorithm="ES256", **{name: value})
        assert scene.refused_as(token) == (400, "malformed_token")


@of(*KEY_PAIRS)
def test_no_private_key_shows_in_a_repr(scene: Scene) -> None:
    """C2.4.3."""
    keys = scene.keys()
    backend = signing.backend(keys, signing.TokenKind.ACCESS)
    shown = f"{keys!r} {backend!r} {backend.keys!r}"
    key = private_key(keys.access)
    assert isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert pem.splitlines()[1] not in shown
    assert "PRIVATE" not in shown
