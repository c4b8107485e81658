"""How an address is found again among refusals that do not name it: by a digest under a key that only this installation has."""

from functools import lru_cache

from django.conf import settings

from apps.core import ciphers

INFO = b"gatehouse/audit/addresses/v1"


def of(identity: str) -> bytes:
    """HMAC-SHA256 of an address as addresses are compared. Addresses can be guessed, so a plain hash would not hide them.

    The key follows from SECRET_KEY: with another one, earlier refusals are found by their user or customer alone.
    """
    return ciphers.mac(identity.encode(), key=key_of(settings.SECRET_KEY))


@lru_cache(maxsize=4)
def key_of(secret_key: str) -> bytes:
    extracted = ciphers.hkdf_extract(salt=b"gatehouse/audit/v1", input_key=secret_key.encode())
    return ciphers.hkdf_expand(extracted, info=INFO)
