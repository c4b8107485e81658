"""What Valkey keeps in the place of codes and addresses: digests under keys that only this installation has."""

from functools import lru_cache

from django.conf import settings

from apps.core import ciphers

NAMES = "gatehouse/otp/names/v1"


def of(text: str, *, info: str = NAMES) -> str:
    """HMAC-SHA256 of the text, as hexadecimal digits, under a key of its own for each `info`.

    Without `info`: a name for an address or a number. Addresses can be guessed, so a plain hash would not hide them.
    """
    key = _names_key(settings.SECRET_KEY) if info == NAMES else _key(settings.SECRET_KEY, info)
    return ciphers.mac(text.encode(), key=key).hex()


@lru_cache(maxsize=4)
def _names_key(secret_key: str) -> bytes:
    """Of four digests that a request for a code needs, three are under this key."""
    return _key(secret_key, NAMES)


def _key(secret_key: str, info: str) -> bytes:
    return ciphers.hkdf_expand(_pepper(secret_key), info=info.encode())


@lru_cache(maxsize=4)
def _pepper(secret_key: str) -> bytes:
    return ciphers.hkdf_extract(salt=b"gatehouse/otp/v1", input_key=secret_key.encode())
