"""What is published about a customer, so that any JWT library can verify its access tokens offline (contract 3.2).

The keys (RFC 7517); those of customers with shared secrets are in no list. `oauth.metadata` says the rest.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from apps.customers import keyring
from apps.customers.keyring import SigningKeys
from apps.customers.state import CustomerState
from apps.tokens import signing


def jwks(customer: CustomerState, now: datetime) -> dict[str, Any]:
    """The public keys of access tokens: of every version that still verifies, beginning with the one that signs."""
    published = (signing.public_jwk(keys) for keys in _verifying(customer, now))
    return {"keys": [key for key in published if key is not None]}


def algorithms(customer: CustomerState, now: datetime) -> list[str]:
    """Of the versions that still verify: after a change of algorithm, for a while, two."""
    return list(dict.fromkeys(keys.algorithm for keys in _verifying(customer, now)))


def _verifying(customer: CustomerState, now: datetime) -> list[SigningKeys]:
    """The current version, then those that will retire. From this process's memory once they are known."""
    kids = [kid for kid in customer.secrets if customer.verifies(kid, now)]
    kids.sort(key=lambda kid: customer.secrets[kid] is not None)
    found = (keyring.signing_keys(customer.id, UUID(kid)) for kid in kids)
    return [keys for keys in found if keys is not None]
