"""What is published about a customer, so that any JWT library can verify its access tokens offline (contract 3.2).

The documents of OpenID Connect Discovery 1.0 and RFC 8414, and the keys (RFC 7517). Those of customers with shared secrets list
no keys.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.customers import keyring
from apps.customers.keyring import SigningKeys
from apps.customers.state import CustomerState
from apps.tokens import claims, signing

CLAIMS = list(claims.OF_ACCESS)


def jwks(customer: CustomerState, now: datetime) -> dict[str, Any]:
    """The public keys of access tokens: of every version that still verifies, beginning with the one that signs."""
    published = (signing.public_jwk(keys) for keys in _verifying(customer, now))
    return {"keys": [key for key in published if key is not None]}


def configuration(customer: CustomerState, now: datetime) -> dict[str, Any]:
    """The metadata document. There is no authorization endpoint: users sign in by the API, and `token_endpoint` refreshes.

    Algorithms are those of the versions that still verify: after a change of algorithm, for a while, two.
    """
    issuer = signing.issuer_of(customer.slug)
    algorithms = list(dict.fromkeys(keys.algorithm for keys in _verifying(customer, now)))
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "token_endpoint": f"{settings.PUBLIC_URL}/api/auth/refresh",
        "token_endpoint_auth_methods_supported": ["none"],
        "introspection_endpoint": f"{settings.PUBLIC_URL}/api/auth/introspect",
        "introspection_endpoint_auth_methods_supported": ["Bearer"],  # an API key
        "revocation_endpoint": f"{settings.PUBLIC_URL}/api/auth/revoke",
        "revocation_endpoint_auth_methods_supported": ["Bearer"],
        "grant_types_supported": ["refresh_token"],
        "response_types_supported": ["none"],  # must be present and not empty
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms,
        "access_token_signing_alg_values_supported": algorithms,
        "claims_supported": CLAIMS,
    }


def _verifying(customer: CustomerState, now: datetime) -> list[SigningKeys]:
    """The current version, then those that will retire. From this process's memory once they are known."""
    kids = [kid for kid in customer.secrets if customer.verifies(kid, now)]
    kids.sort(key=lambda kid: customer.secrets[kid] is not None)
    found = (keyring.signing_keys(customer.id, UUID(kid)) for kid in kids)
    return [keys for keys in found if keys is not None]
