"""The algorithms of contract 3.2: how each reads its keys, how it signs, and what may be published. With `signing`, the door to PyJWT.

With each of them the same text has one signature. So a successor can be given again byte for byte (contract 3.6), and nobody
can write a genuine token in a second way (3.9).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from jwt import PyJWS
from jwt.algorithms import ECAlgorithm

from apps.core import ciphers
from apps.customers.policy import Algorithm
from apps.tokens.parsing import UnverifiedToken

SHARED_SECRETS = frozenset({Algorithm.HS256, Algorithm.HS512})


class CanonicalES256(ECAlgorithm):
    """ES256 with deterministic signatures; PyJWT's are different every time."""

    def sign(self, msg: bytes, key: Any) -> bytes:
        return ciphers.sign_p256(msg, key=key)


def _signer() -> PyJWS:
    signer = PyJWS(algorithms=Algorithm.values)
    signer.unregister_algorithm(Algorithm.ES256.value)
    signer.register_algorithm(Algorithm.ES256.value, CanonicalES256(ECAlgorithm.SHA256))
    return signer


SIGNER = _signer()


@dataclass(frozen=True)
class Keys:
    """The keys to sign and to verify with, as PyJWT takes them, and the public key (RFC 7517) if there is one."""

    signing: Any = field(repr=False)
    verifying: Any = field(repr=False)
    public_jwk: Mapping[str, Any] | None


def read(algorithm: str, secret: bytes) -> Keys:
    """The keys in `secret`: the shared secret's text, or a private key as PEM."""
    kind = SIGNER.get_algorithm_by_name(algorithm)
    if algorithm in SHARED_SECRETS:
        text = secret.decode("ascii")
        return Keys(signing=text, verifying=kind.prepare_key(text), public_jwk=None)
    private = kind.prepare_key(secret)
    public = private.public_key()
    return Keys(signing=private, verifying=public, public_jwk=_published(kind.to_jwk(public, as_dict=True)))


def _published(jwk: Mapping[str, Any]) -> dict[str, Any]:
    """Without `key_ops`, which must not stand beside `use` (RFC 7517 section 4.3)."""
    return {name: value for name, value in jwk.items() if name != "key_ops"}


def is_signed(algorithm: str, token: UnverifiedToken, key: Any) -> bool:
    """Whether this key has signed the token by this algorithm, whatever the token's header says.

    The token was parsed strictly already. PyJWT is given the parts: given the text, it would take it apart once more
    (measured: a third of what a token cost that was not seen before).
    """
    try:
        return SIGNER.get_algorithm_by_name(algorithm).verify(token.signing_input, key, token.signature)
    except (jwt.PyJWTError, ValueError, TypeError):
        return False


def is_canonical(algorithm: str, signature: bytes) -> bool:
    """Whether the signature has the one form that counts. Anybody can make a second valid one from an ECDSA signature."""
    return algorithm != Algorithm.ES256 or ciphers.is_lower_p256_signature(signature)
