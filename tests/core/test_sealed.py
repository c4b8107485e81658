"""C2.4: a secret at rest opens only in its own table, column and row, under its own master key."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from apps.core import ciphers, sealed
from apps.core.ciphers import DecryptionFailed
from apps.core.ids import new_id
from apps.customers.models import SigningSecret
from apps.users.models import User

SECRET = b"a secret of exactly 29 bytes!"  # sealed: 57 bytes, so that base64 leaves no spare bits


def a_row() -> SigningSecret:
    row = SigningSecret(id=new_id())
    sealed.write(row, "access_secret", SECRET)
    return row


def test_what_was_sealed_opens_in_its_place() -> None:
    row = a_row()
    assert sealed.read(row, "access_secret") == SECRET
    assert SECRET.decode() not in row.access_secret


def test_it_names_its_master_key_in_front(settings: Settings) -> None:
    """C2.4.1: the master key's id in front."""
    assert a_row().access_secret.startswith(next(iter(settings.MASTER_KEYS)) + ".")


def test_moved_to_another_row_it_does_not_open() -> None:
    """C2.4.1: a ciphertext moved to another row or column does not decrypt."""
    other = SigningSecret(id=new_id(), access_secret=a_row().access_secret)
    with pytest.raises(DecryptionFailed):
        sealed.read(other, "access_secret")


def test_moved_to_another_column_it_does_not_open() -> None:
    """C2.4.1."""
    row = a_row()
    row.refresh_secret = row.access_secret
    with pytest.raises(DecryptionFailed):
        sealed.read(row, "refresh_secret")


def test_moved_to_another_table_it_does_not_open() -> None:
    """C2.4.1."""
    row = a_row()
    with pytest.raises(DecryptionFailed):
        sealed.read(User(id=row.id, phone=row.access_secret), "phone")


@given(position=st.integers(min_value=0), replacement=st.sampled_from("AZaz09-_.=é \0"))
def test_altered_in_any_character_it_does_not_open(position: int, replacement: str) -> None:
    row = a_row()
    whole = row.access_secret
    position %= len(whole)
    row.access_secret = whole[:position] + replacement + whole[position + 1 :]
    if row.access_secret == whole:
        return
    with pytest.raises(DecryptionFailed):
        sealed.read(row, "access_secret")


@pytest.mark.parametrize("text", ["", "k1", "k1.", "k1.AAAA", "k1.A", "nobody.AAAA", "k1.é"])
def test_what_was_never_sealed_does_not_open(text: str, settings: Settings) -> None:
    settings.MASTER_KEYS = {"k1": bytes(32)}
    with pytest.raises(DecryptionFailed):
        sealed.read(SigningSecret(id=new_id(), access_secret=text), "access_secret")


def test_older_master_keys_still_open_and_the_first_one_seals(settings: Settings) -> None:
    """C2.4.1: `MASTER_KEYS`, first = current."""
    row = a_row()
    settings.MASTER_KEYS = {"newer": secrets.token_bytes(32), **settings.MASTER_KEYS}
    assert sealed.read(row, "access_secret") == SECRET
    sealed.write(row, "access_secret", SECRET)
    assert row.access_secret.startswith("newer.")


def test_without_its_master_key_it_does_not_open(settings: Settings) -> None:
    row = a_row()
    settings.MASTER_KEYS = {"newer": secrets.token_bytes(32)}
    with pytest.raises(DecryptionFailed):
        sealed.read(row, "access_secret")


def test_sealing_twice_gives_two_ciphertexts() -> None:
    """A fresh nonce each time (NIST SP 800-38D)."""
    key = secrets.token_bytes(32)
    assert ciphers.encrypt(SECRET, key=key, associated_data=b"") != ciphers.encrypt(
        SECRET, key=key, associated_data=b""
    )


def test_hkdf_is_rfc_5869() -> None:
    """The RFC's test case 1."""
    prk = ciphers.hkdf_extract(salt=bytes(range(13)), input_key=b"\x0b" * 22)
    assert prk.hex() == "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"
    assert ciphers.hkdf_expand(prk, info=bytes(range(0xF0, 0xFA)), length=42).hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )
