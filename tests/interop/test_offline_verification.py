"""Libraries that are not ours verify access tokens offline, from a customer's discovery document and published keys (contract 3.2)."""

from typing import Any

import pytest
from joserfc import errors, jwt
from joserfc.jwk import KeySet

from apps.customers.models import Customer
from apps.tokens.minting import TokenPair
from demo.client import Client
from tests import factories
from tests.conftest import MakeClient
from tests.payloads.test_node_interop import ask, node, results  # noqa: F401  (a fixture)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864"),  # joserfc's advice; the contract says EdDSA
]
KEY_PAIRS = ["ES256", "EdDSA", "RS256"]
KEY_NOT_FOUND, WRONG_SIGNATURE = "ERR_JWKS_NO_MATCHING_KEY", "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"
WRONG_CLAIM = "ERR_JWT_CLAIM_VALIDATION_FAILED"


def documents(client: Client, customer: Customer) -> tuple[dict[str, Any], dict[str, Any]]:
    """The discovery document, and the keys that it leads to."""
    found = client.call("GET", f"/customers/{customer.slug}/.well-known/openid-configuration").document
    jwks = client.call("GET", found["jwks_uri"].removeprefix("https://auth.example.test")).document
    return found, jwks


def by_joserfc(token: str, client: Client, customer: Customer, algorithms: list[str] | None = None) -> jwt.Token:
    """As its documentation says: signature, then claims."""
    found, jwks = documents(client, customer)
    algorithms = algorithms or found["id_token_signing_alg_values_supported"]
    verified = jwt.decode(token, KeySet.import_key_set(jwks), algorithms=algorithms)
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": found["issuer"]},
        aud={"essential": True, "value": str(customer.id)},
        exp={"essential": True},
    ).validate(verified.claims)
    return verified


def session(algorithm: str) -> tuple[Customer, TokenPair]:
    customer = factories.customer(algorithm=algorithm)
    return customer, factories.session(factories.user(customer))


def job(token: str, client: Client, customer: Customer) -> dict[str, Any]:
    configuration, jwks = documents(client, customer)
    given = {"configuration": configuration, "jwks": jwks, "audience": str(customer.id)}
    return {"name": "verifyOffline", "token": token, **given}


@pytest.mark.parametrize("algorithm", KEY_PAIRS)
def test_joserfc_verifies_offline(client_for: MakeClient, algorithm: str) -> None:
    customer, pair = session(algorithm)
    verified = by_joserfc(pair.access, client_for(None), customer)
    assert (verified.header["alg"], verified.header["typ"]) == (algorithm, "at+jwt")
    assert verified.claims["email"] == "ada@example.com"


@pytest.mark.parametrize("algorithm", KEY_PAIRS)
def test_joserfc_takes_nothing_else_for_an_access_token(client_for: MakeClient, algorithm: str) -> None:
    """A refresh token verifies under no published key, and neither does another customer's token."""
    customer, pair = session(algorithm)
    _, other = session(algorithm)
    with pytest.raises(errors.BadSignatureError):
        by_joserfc(pair.refresh, client_for(None), customer)
    with pytest.raises(errors.InvalidKeyIdError):
        by_joserfc(other.access, client_for(None), customer)


def test_joserfc_verifies_shared_secrets_given_to_it(client_for: MakeClient) -> None:
    """HS512: nothing is published; servers that were given the secret verify with it, and the document names the algorithm."""
    from joserfc.jwk import OctKey

    from apps.core import sealed
    from apps.customers.models import SigningSecret

    customer, pair = session("HS512")
    found, jwks = documents(client_for(None), customer)
    assert (found["access_token_signing_alg_values_supported"], jwks) == (["HS512"], {"keys": []})
    assert "id_token_signing_alg_values_supported" not in found  # no client could verify one
    secret = sealed.read(SigningSecret.objects.get(customer=customer), "access_secret")
    verified = jwt.decode(pair.access, OctKey.import_key(secret), algorithms=["HS512"])
    assert verified.claims["iss"] == found["issuer"]


@pytest.mark.parametrize("algorithm", KEY_PAIRS)
def test_node_verifies_offline_and_refuses_the_rest(node: str, client_for: MakeClient, algorithm: str) -> None:  # noqa: F811
    """`jose`: a local key set."""
    client = client_for(None)
    (customer, pair), (other, theirs) = session(algorithm), session(algorithm)
    [found] = results(node, job(pair.access, client, customer))
    assert found["header"]["typ"] == "at+jwt"
    assert found["claims"]["sub"] == str(pair_user(customer))
    header, payload, signature = pair.access.split(".")
    refused = ask(
        node,
        job(pair.refresh, client, customer),
        job(theirs.access, client, customer),
        job(f"{header}.{payload}.{signature[:-6]}AAAAAA", client, customer),
        {**job(pair.access, client, customer), "audience": str(other.id)},
    )
    assert [item["error"] for item in refused] == [WRONG_SIGNATURE, KEY_NOT_FOUND, WRONG_SIGNATURE, WRONG_CLAIM]


def pair_user(customer: Customer) -> Any:
    return customer.users.get().id


@pytest.mark.parametrize("algorithm", KEY_PAIRS)
def test_node_needs_the_issuer_alone(node: str, live_server: Any, settings: Any, algorithm: str) -> None:  # noqa: F811
    """Over the network: discovery document, remote key set, token; and after a change of algorithm both kinds of token."""
    settings.PUBLIC_URL = live_server.url
    customer, pair = session(algorithm)
    task = {
        "name": "verifyFromIssuer",
        "issuer": f"{live_server.url}/customers/{customer.slug}",
        "audience": str(customer.id),
    }
    [found] = results(node, {**task, "token": pair.access})
    assert found["header"]["alg"] == algorithm
    other = {"ES256": "EdDSA", "EdDSA": "RS256", "RS256": "ES256"}[algorithm]
    factories.policy(customer, algorithm=other)
    fresh = factories.session(customer.users.get())
    both = results(node, {**task, "token": pair.access}, {**task, "token": fresh.access})
    assert [item["header"]["alg"] for item in both] == [algorithm, other]
