"""C2.3.2, C2.4: contents at rest are encrypted under keys of their own, and what is altered there is not handed out."""

import secrets
from collections.abc import Callable

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from apps.core import sealed
from apps.core.ciphers import DecryptionFailed
from apps.core.ids import new_id
from apps.files import content_cipher
from apps.files.models import UserFile
from demo.client import Answer
from tests.files.keeping import Place, pdf

pytestmark = pytest.mark.django_db(transaction=True)
CHUNK = 65_536 + 28
LONG = 3 * 65_536 + 1000


def swapped(kept: bytes) -> bytes:
    return kept[CHUNK : 2 * CHUNK] + kept[:CHUNK] + kept[2 * CHUNK :]


ALTERED_AT_ONCE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda kept: b"",
    "its first bit": lambda kept: bytes([kept[0] ^ 1]) + kept[1:],
    "two chunks swapped": swapped,
    "its first chunk left out": lambda kept: kept[CHUNK:],
    "its first chunk alone": lambda kept: kept[:CHUNK],
}
ALTERED_LATER: dict[str, Callable[[bytes], bytes]] = {
    "truncated between chunks": lambda kept: kept[: 3 * CHUNK],
    "truncated in a chunk": lambda kept: kept[:-5],
    "extended": lambda kept: kept + bytes(CHUNK),
    "its last chunk twice": lambda kept: kept + kept[3 * CHUNK :],
    "a middle chunk left out": lambda kept: kept[:CHUNK] + kept[2 * CHUNK :],
}


def test_nothing_of_a_content_can_be_read_where_it_lies(place: Place) -> None:
    place.keep(pdf(LONG), name="passport.pdf")
    (kept,) = place.objects()
    stored = kept.read_bytes()
    assert len(stored) == LONG + 4 * 28
    assert not any(pdf(LONG)[start : start + 16] in stored for start in range(0, LONG, 4096))
    assert b"passport" not in str(kept).encode() + stored
    assert kept.stat().st_mode & 0o077 == 0
    assert kept.parent.stat().st_mode & 0o077 == 0


def test_each_upload_has_a_key_of_its_own(place: Place) -> None:
    first, second = (UserFile.objects.get(id=place.keep()) for _ in range(2))
    keys = {sealed.read(file, "content_key") for file in (first, second)}
    assert len(keys) == 2
    assert all(len(key) == 32 for key in keys)
    first.content_key = second.content_key
    with pytest.raises(DecryptionFailed):
        sealed.read(first, "content_key")


@pytest.mark.parametrize("how", ALTERED_AT_ONCE)
def test_an_altered_object_is_refused(place: Place, how: str) -> None:
    file_id = place.keep(pdf(LONG))
    (kept,) = place.objects()
    kept.write_bytes(ALTERED_AT_ONCE[how](kept.read_bytes()))
    answer, _ = place.fetch(file_id)
    assert (answer.status, answer.error_type) == (500, "internal_error")


@pytest.mark.parametrize("how", ALTERED_LATER)
def test_an_object_that_is_altered_further_on_breaks_off(place: Place, how: str) -> None:
    """A stream that breaks off is no file: the client finds no last record."""
    file_id = place.keep(pdf(LONG))
    (kept,) = place.objects()
    kept.write_bytes(ALTERED_LATER[how](kept.read_bytes()))
    with pytest.raises(DecryptionFailed):
        fetched(place, file_id)


def fetched(place: Place, file_id: str) -> Answer:
    return place.client.call("GET", f"/api/files/{file_id}/content", headers={"Authorization": f"Bearer {place.token}"})


def test_another_files_object_is_not_taken_for_it(place: Place) -> None:
    """Neither in its place nor under its name, though both are of one customer and alike."""
    first, second = place.keep(), place.keep()
    one, other = place.objects()
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    for file_id in (first, second):
        assert fetched(place, file_id).status == 500
    row, theirs = UserFile.objects.get(id=first), UserFile.objects.get(id=second)
    stolen = theirs.content
    UserFile.objects.filter(id=second).update(content=None)
    UserFile.objects.filter(id=row.id).update(content=stolen)
    assert fetched(place, first).status == 500


def test_a_new_master_key_wraps_the_keys_anew_and_leaves_the_contents_alone(place: Place, settings: Settings) -> None:
    file_id = place.keep(pdf(LONG))
    (kept,) = place.objects()
    before = kept.read_bytes()
    settings.MASTER_KEYS = {"newer": secrets.token_bytes(32), **settings.MASTER_KEYS}
    call_command("rotate_master_key", verbosity=0)
    assert UserFile.objects.get().content_key.startswith("newer.")
    assert kept.read_bytes() == before
    assert place.fetch(file_id)[1] == pdf(LONG)


@given(st.integers(0, 3 * 65_536), st.integers(1, 200_000))
def test_any_content_in_any_pieces_is_opened_again(size: int, piece: int) -> None:
    key, name, content = content_cipher.new_key(), new_id(), bytes(size)
    pieces = (content[start : start + piece] for start in range(0, size, piece))
    kept = b"".join(content_cipher.seal(pieces, key=key, object_id=name))
    again = (kept[start : start + piece] for start in range(0, len(kept), piece))
    assert b"".join(content_cipher.unseal(again, key=key, object_id=name)) == content
    for wrong in ({"key": content_cipher.new_key(), "object_id": name}, {"key": key, "object_id": new_id()}):
        with pytest.raises(DecryptionFailed):
            list(content_cipher.unseal([kept], **wrong))  # type: ignore[arg-type]
