"""What is published of a customer (contract 3.2): its metadata and the public keys of its access tokens, and never anything else."""

import json
from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import Any

import jwt
import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata
from django.test import Client as Browser
from django.utils import timezone

from apps.core import sealed
from apps.customers import keyring, lifecycle, state
from apps.customers.models import DEFAULT_CUSTOMER_ID, Customer, SigningSecret
from apps.tokens import emergency_rotation
from tests import factories
from tests.oauth.exchanging import signed_in
from tests.remembering import changed
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)
WHO = "operator:x"
DOCUMENTS = ("jwks.json", "openid-configuration")
PUBLIC_URL = "https://auth.example.test"


def get(customer: Customer | str, name: str, **headers: str) -> Any:
    slug = customer if isinstance(customer, str) else customer.slug
    return Browser().get(f"/customers/{slug}/.well-known/{name}", headers=headers)


def keys_of(customer: Customer) -> list[dict[str, str]]:
    answer = get(customer, "jwks.json")
    assert answer.status_code == 200
    keys: list[dict[str, str]] = answer.json()["keys"]
    return keys


def kids_of(customer: Customer) -> list[str]:
    return [key["kid"] for key in keys_of(customer)]


def current_kid(customer: Customer) -> str:
    return str(SigningSecret.objects.get(customer=customer, retires_at=None).id)


@pytest.mark.parametrize(
    ("algorithm", "expected", "coordinates"),
    [
        ("ES256", {"kty": "EC", "crv": "P-256"}, "xy"),
        ("EdDSA", {"kty": "OKP", "crv": "Ed25519"}, "x"),
        ("RS256", {"kty": "RSA", "e": "AQAB"}, "n"),
    ],
)
def test_the_public_key_is_published_and_nothing_private(
    algorithm: str, expected: dict[str, str], coordinates: str
) -> None:
    """RFC 7517, RFC 7518 section 6.2, RFC 8037: no `d`, and not the key of refresh tokens."""
    customer = factories.customer(algorithm=algorithm)
    [key] = keys_of(customer)
    assert key == {
        **expected,
        **{name: key[name] for name in coordinates},
        "use": "sig",
        "alg": algorithm,
        "kid": current_kid(customer),
    }
    length = 384 if algorithm == "RS256" else 32
    assert {len(urlsafe_b64decode(key[name] + "==")) for name in coordinates} == {length}


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_access_tokens_verify_by_the_public_key_and_other_kinds_do_not(algorithm: str) -> None:
    """C3.1: a server that forgets to look at `typ` must not take a refresh token or a challenge for an access token."""
    from apps.tokens import minting

    customer = factories.customer(algorithm=algorithm)
    user = factories.user(customer)
    pair, now = factories.session(user), timezone.now()
    found = state.read(customer.id)
    challenge = minting.challenge(
        customer=found, user_id=user.id, challenge_id=user.id, issued_at=now, expires_at=now + timedelta(minutes=5)
    )
    [key] = keys_of(customer)
    verifying = {"key": jwt.PyJWK(key), "algorithms": [algorithm], "audience": str(customer.id)}
    assert jwt.decode(pair.access, **verifying)["iss"] == f"{PUBLIC_URL}/customers/{customer.slug}"
    for text in (pair.refresh, challenge):
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(text, **verifying)


@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_shared_secrets_are_never_published(algorithm: str) -> None:
    customer = factories.customer(algorithm=algorithm)
    assert get(customer, "jwks.json").json() == {"keys": []}
    published = b"".join(get(customer, name).content for name in DOCUMENTS)
    row = SigningSecret.objects.get(customer=customer)
    for name in ("access_secret", "refresh_secret"):
        assert sealed.read(row, name) not in published
    assert row.fingerprint.encode() not in published


def test_all_versions_that_verify_are_published_the_current_first() -> None:
    """C3.7: graceful, then retired, then emergency; each at once."""
    customer, now = factories.customer(algorithm="ES256"), timezone.now()
    first = current_kid(customer)
    keyring.rotate_gracefully(customer, context=factories.context(WHO, now=now))
    second = current_kid(customer)
    assert kids_of(customer) == [second, first]
    SigningSecret.objects.filter(id=first).update(retires_at=now - timedelta(seconds=1))
    changed(customer)
    assert kids_of(customer) == [second]
    emergency_rotation.rotate_in_emergency(customer, context=factories.context(WHO))
    assert kids_of(customer) == [current_kid(customer)]


def test_a_change_of_algorithm_shows_both_until_the_old_retires() -> None:
    customer = factories.customer(algorithm="ES256")
    factories.policy(customer, algorithm="EdDSA")
    assert [key["alg"] for key in keys_of(customer)] == ["EdDSA", "ES256"]
    found = get(customer, "openid-configuration").json()
    assert found["id_token_signing_alg_values_supported"] == ["EdDSA", "ES256"]
    factories.policy(customer, algorithm="HS256")
    assert {key["alg"] for key in keys_of(customer)} == {"EdDSA", "ES256"}


def test_each_customer_publishes_its_own_keys() -> None:
    """C1.5."""
    one, other = factories.customer(algorithm="ES256"), factories.customer(algorithm="ES256")
    assert set(kids_of(one)).isdisjoint(kids_of(other))


def test_the_metadata_leads_everywhere() -> None:
    """OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2: from the settings, never from the request's Host."""
    customer = factories.customer(algorithm="EdDSA")
    found = get(customer, "openid-configuration", Host="localhost").json()
    issuer = f"{PUBLIC_URL}/customers/{customer.slug}"
    assert found["issuer"] == issuer
    assert found["jwks_uri"] == f"{issuer}/.well-known/jwks.json"
    assert found["introspection_endpoint"] == f"{PUBLIC_URL}/api/auth/introspect"
    assert found["authorization_endpoint"] == f"{PUBLIC_URL}/sign-in/{customer.slug}"
    for name, path in (
        ("token", "token"),
        ("userinfo", "userinfo"),
        ("end_session", "logout"),
        ("revocation", "revoke"),
    ):
        assert found[f"{name}_endpoint"] == f"{PUBLIC_URL}/api/oauth/{path}"
    assert found["id_token_signing_alg_values_supported"] == ["EdDSA"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert found["scopes_supported"] == ["openid", "profile", "email", "offline_access"]
    required = {"response_types_supported", "subject_types_supported", "grant_types_supported"}
    assert required <= found.keys()
    assert all(value for value in found.values() if value is not False)  # RFC 8414 section 3.2: no empty lists
    client, _ = factories.oauth_client(customer)
    user = factories.user(customer, name="Ada", locale="de")
    given = signed_in(client, user, scope="openid profile email", nonce="n")
    claims = jwt.decode(given["id_token"], options={"verify_signature": False})
    assert claims["iss"] == issuer
    assert set(found["claims_supported"]) == set(claims)
    elsewhere = Browser().get(f"/.well-known/oauth-authorization-server/customers/{customer.slug}").json()
    assert elsewhere == found


def test_what_a_customer_cannot_do_is_not_announced() -> None:
    shared = get(factories.customer(algorithm="HS256", allows_registration=False), "openid-configuration").json()
    assert "id_token_signing_alg_values_supported" not in shared
    assert "openid" not in shared["scopes_supported"]
    assert "create" not in shared["prompt_values_supported"]


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_client_libraries_find_the_metadata_sound(algorithm: str) -> None:
    """authlib knows the rules of OpenID Connect Discovery; it insists on RS256 among the algorithms, as the standard does."""
    found = OpenIDProviderMetadata(get(factories.customer(algorithm=algorithm), "openid-configuration").json())
    AuthorizationServerMetadata(found).validate()
    found["id_token_signing_alg_values_supported"] = ["RS256"]
    found.validate()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_anybody_may_read_the_documents_from_anywhere_and_cache_them_for_a_while(name: str) -> None:
    """Pages of any origin and caches; for minutes at most, since an emergency rotation must reach everybody."""
    customer = factories.customer(algorithm="ES256")
    answer = get(customer, name, Origin="https://anywhere.example")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Content-Type"] == "application/json"
    directive, seconds = answer.headers["Cache-Control"].split("=")
    assert directive == "public, max-age"
    assert 0 < int(seconds) <= 300
    assert not answer.cookies


@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_unknown_customer_has_no_documents(name: str) -> None:
    for slug in ("nobody", "Default", "default_", "x" * 500, str(DEFAULT_CUSTOMER_ID)):
        answer = get(slug, name)
        assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found")
        assert answer.headers["Cache-Control"] == "no-store"
    assert get("default", name).status_code == 200


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_suspended_customers_documents_are_withdrawn_at_once(name: str) -> None:
    """C1.8: 403 customer_suspended on every path, and no cache keeps that."""
    customer = factories.customer(algorithm="ES256")
    assert get(customer, name).status_code == 200
    lifecycle.suspend(customer, context=factories.context(WHO))
    answer = get(customer, name)
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "customer_suspended")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_documents_are_only_for_reading(name: str) -> None:
    customer = factories.customer()
    path = f"/customers/{customer.slug}/.well-known/{name}"
    assert Browser().head(path).status_code == 200
    for method in ("post", "put", "delete", "patch"):
        answer = getattr(Browser(), method)(path, json.dumps({}), content_type="application/json")
        assert (answer.status_code, answer.json()["error"]["type"]) == (405, "method_not_allowed")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_costs_nothing_when_the_customer_is_remembered(name: str) -> None:
    customer = factories.customer(algorithm="ES256")
    get(customer, name)
    with counted() as cost:
        get(customer, name)
    assert (cost.statements, cost.round_trips) == ([], 0)


def test_the_documents_are_there_without_valkey(valkey_away: Any) -> None:
    customer = factories.customer(algorithm="ES256")
    valkey_away.kill()
    assert kids_of(customer) == [current_kid(customer)]
