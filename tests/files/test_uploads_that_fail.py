"""C2.3.1: whatever is wrong with an upload, nothing of it stays, in the database or in the storage."""

import errno
from collections.abc import Callable

import pytest
from django.db import connection
from pytest_django import Settings

from apps.accounts import deactivation, erasure
from apps.core import actors
from apps.core.ids import new_id
from apps.customers import lifecycle as customers
from apps.files import content_types, places, transfers
from apps.files.models import StoredObject, UserFile
from apps.tokens import sessions
from apps.tokens.models import EndReason
from demo.client import TokenKeys
from tests import factories
from tests.files.keeping import JPEG, PNG, RECORD, Place, pdf

pytestmark = pytest.mark.django_db(transaction=True)
LONG = 4 * RECORD
HEADER = 21 + 36  # of the stream; its key id is a UUID


def records(stream: bytes) -> list[bytes]:
    body = stream[HEADER:]
    return [stream[:HEADER], *(body[start : start + RECORD] for start in range(0, len(body), RECORD))]


def flipped(part: bytes, place: int) -> bytes:
    return part[:place] + bytes([part[place] ^ 1]) + part[place + 1 :]


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda stream: b"",
    "half a header": lambda stream: stream[:20],
    "the header alone": lambda stream: stream[:HEADER],
    "truncated in a record": lambda stream: stream[:-1000],
    "truncated between records": lambda stream: b"".join(records(stream)[:-1]),
    "reordered": lambda stream: b"".join(records(stream)[place] for place in (0, 2, 1, 3, 4, 5)),
    "a record left out": lambda stream: b"".join(records(stream)[place] for place in (0, 1, 3, 4, 5)),
    "a record twice": lambda stream: b"".join(records(stream)[place] for place in (0, 1, 1, 2, 3, 4, 5)),
    "extended": lambda stream: stream + b"x",
    "extended by a record": lambda stream: stream + records(stream)[1],
    "followed by itself": lambda stream: stream + stream,
    "altered at its beginning": lambda stream: flipped(stream, HEADER + 5),
    "altered at its end": lambda stream: flipped(stream, len(stream) - 1),
    "another salt": lambda stream: flipped(stream, 3),
    "another record size": lambda stream: flipped(stream, 18),
    "another key id": lambda stream: flipped(stream, 30),
    "plain": lambda stream: pdf(LONG),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_stream_stores_nothing(place: Place, how: str) -> None:
    file_id = place.announced(LONG)
    answer = place.send_raw(file_id, SPOILT[how](place.stream(file_id, pdf(LONG))))
    assert (answer.status, answer.error_type, answer.encrypted) == (400, "decryption_failed", True)
    place.require_nothing_kept()
    assert place.send(file_id, pdf(LONG)).status == 200, "and it can be repeated"


def test_a_stream_for_another_file_call_or_token_is_worth_nothing(place: Place) -> None:
    """An upload is bound to its id: a copied stream cannot be moved."""
    file_id, other = place.announced(LONG), place.announced(LONG)
    second_token = factories.session(place.user).access
    for stream in (
        place.stream(other, pdf(LONG)),
        place.stream(file_id, pdf(LONG), path="/api/files"),
        place.stream(file_id, pdf(LONG), token=second_token),
        place.stream(file_id, pdf(LONG), token=place.other_user(f"{file_id}@example.com")),
    ):
        answer = place.send_raw(file_id, stream)
        assert (answer.status, answer.error_type) == (400, "decryption_failed")
    place.require_nothing_kept()


def test_a_plain_upload_is_refused(place: Place) -> None:
    file_id = place.announced(1000)
    for encoding in ("", "gzip", "aes128gcm, gzip", "identity"):
        answer = place.send_raw(file_id, pdf(1000), **{"Content-Encoding": encoding})
        assert (answer.status, answer.error_type) == (400, "encryption_required")
    place.require_nothing_kept()


def test_a_content_has_the_size_that_was_announced(place: Place) -> None:
    file_id = place.announced(LONG)
    for size in (1, LONG - 1, LONG + 1, 2 * LONG):
        answer = place.send(file_id, pdf(size))
        assert (answer.status, answer.error_type) == (400, "file_size_mismatch"), size
    answer = place.send(file_id, b"")
    assert answer.status in (400, 415)
    place.require_nothing_kept()


def test_records_cannot_be_padded_without_end(place: Place) -> None:
    """RFC 8188 allows records that hold nothing but padding."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from demo.file_stream import _keys

    file_id = place.announced(1000)
    keys = TokenKeys(place.token)
    salt, name = bytes(16), keys.kid.encode()
    key, nonce = _keys(keys.file_material("PUT", f"/api/files/{file_id}/content"), salt)
    assert isinstance(key, AESGCM)
    empty = [key.encrypt((nonce ^ number).to_bytes(12), b"\1" + bytes(RECORD - 17), None) for number in range(5)]
    answer = place.send_raw(file_id, salt + RECORD.to_bytes(4) + bytes([len(name)]) + name + b"".join(empty))
    assert (answer.status, answer.error_type) == (413, "payload_too_large")
    place.require_nothing_kept()


def test_only_contents_of_allowed_types_are_kept(place: Place) -> None:
    """C4: by what they are. Names and media types that the client claims count for nothing."""
    factories.policy(place.customer, file_types=["application/pdf", "image/png"])
    kept = [place.keep(content) for content in (pdf(100), PNG + bytes(100))]
    for content in (
        JPEG + bytes(100),
        b"<html>%PDF-1.7",
        b"<?xml version='1.0'?><svg/>",
        b"<svg onload='alert(1)'>",
        b"GIF89a/*\1\0*/=1;alert(1)",
        b"PK\3\4" + bytes(100),
        b"MZ" + bytes(100),
        b"\x7fELF" + bytes(100),
        b"#!/bin/sh\n",
        b" %PDF-1.7",
        b"%PDF-1.4" + bytes(249) + b"ustar\x0000" + bytes(300),
        b"plain text",
        bytes(5000),
    ):
        file_id = place.announced(len(content), name="paper.pdf")
        headers = {"Content-Type": "application/pdf"}
        answer = place.send_raw(file_id, place.stream(file_id, content), **headers)
        assert (answer.status, answer.error_type) == (415, "file_type_not_allowed"), content[:20]
    place.require_nothing_kept(but=kept)


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"hevc", b"mif1", b"msf1"])
def test_pictures_of_phones_are_known(brand: bytes) -> None:
    assert content_types.of(b"\0\0\0\x18ftyp" + brand + bytes(4) + b"mif1heic") == "image/heic"


def test_what_is_listed_as_unknown_is_anything(place: Place) -> None:
    factories.policy(place.customer, file_types=["application/octet-stream"])
    assert place.fetch(place.keep(b"\1\2\3"))[1] == b"\1\2\3"


def ended(place: Place) -> None:
    where = {"customer_id": place.customer.id, "user_id": place.user.id, "context": factories.context(actors.SYSTEM)}
    sessions.end_all(except_for=None, reason=EndReason.REVOKED, **where)  # type: ignore[arg-type]


def deactivated(place: Place) -> None:
    deactivation.deactivate(place.user, context=factories.context(actors.SYSTEM))


def erased(place: Place) -> None:
    erasure.erase(customer_id=place.customer.id, user_id=place.user.id, context=factories.context(actors.SYSTEM))


def suspended(place: Place) -> None:
    customers.suspend(place.customer, context=factories.context(actors.SYSTEM))


def deleted(place: Place) -> None:
    UserFile.objects.all().delete()


@pytest.mark.parametrize(
    ("change", "status"), [(ended, 401), (deactivated, 401), (erased, 401), (suspended, 403), (deleted, 404)]
)
def test_who_may_no_more_when_the_last_record_comes_has_uploaded_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, change: Callable[[Place], None], status: int
) -> None:
    """The session ended, or the user was deactivated or erased, or the customer suspended, while the content came in."""
    file_id = place.announced(LONG)
    stream = place.stream(file_id, pdf(LONG))
    happen_at_the_end(monkeypatch, lambda: change(place))
    answer = place.send_raw(file_id, stream)
    assert answer.status in (status, 404)
    place.require_nothing_kept()


def happen_at_the_end(monkeypatch: pytest.MonkeyPatch, change: Callable[[], None]) -> None:
    """The change comes when all of the content has been read and measured."""
    measured = transfers.MeasuredContent.__iter__

    def then_change(self: transfers.MeasuredContent) -> object:
        yield from measured(self)
        change()

    monkeypatch.setattr(transfers.MeasuredContent, "__iter__", then_change)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_a_storage_that_fails_half_way_is_503_and_keeps_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A full disk, a broken one, one that we may not write to."""
    from apps.files.local_storage import LocalStorage

    def fail(*_: object) -> None:
        raise OSError(number, "no")

    file_id = place.announced(LONG)
    with monkeypatch.context() as patch:
        patch.setattr("apps.files.local_storage._flush", fail)  # the content is written, and cannot be made safe
        answer = place.send(file_id, pdf(LONG))
        assert (answer.status, answer.error_type, answer.encrypted) == (503, "temporarily_unavailable", True)
        assert answer.headers["retry-after"]
    place.require_nothing_kept()
    assert LocalStorage  # the real one, on a real disk
    assert place.send(file_id, pdf(LONG)).status == 200


def test_a_storage_that_is_away_is_503_both_ways(place: Place, settings: Settings) -> None:
    file_id, other = place.keep(), place.announced()
    nowhere = {"BACKEND": "apps.files.local_storage.LocalStorage", "OPTIONS": {"location": "/proc/nowhere"}}
    settings.STORAGES = {**settings.STORAGES, "files": nowhere}
    for answer in (place.fetch(file_id)[0], place.send(other, pdf(1000))):
        assert (answer.status, answer.error_type, answer.encrypted) == (503, "temporarily_unavailable", True)
    assert StoredObject.objects.count() == 1, "that of the first file"


def test_postgresql_that_goes_away_during_an_upload_leaves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = place.announced(LONG)
    stream = place.stream(file_id, pdf(LONG))

    def cut() -> None:
        with pytest.raises(Exception, match="terminating"), connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    happen_at_the_end(monkeypatch, cut)
    answer = place.send_raw(file_id, stream)
    assert (answer.status, answer.error_type) == (503, "temporarily_unavailable")
    connection.close()
    assert not UserFile.objects.exclude(content=None).exists()
    assert StoredObject.objects.count() <= 1, "what could not be removed is remembered"


def test_no_more_transfers_at_once_than_the_process_has_places_for(
    place: Place, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So files never take all threads of a server, however slow their clients are."""
    settings.FILE_TRANSFERS_AT_ONCE = 1
    file_id = place.keep()
    monkeypatch.setattr(places, "PATIENCE_SECONDS", 0.01)
    with places.place(customer_id=new_id(), actor="user:somebody"):
        for answer in (place.fetch(file_id)[0], place.send(place.announced(), pdf(1000))):
            assert (answer.status, answer.error_type) == (503, "temporarily_unavailable")
    assert place.fetch(file_id)[0].status == 200
    assert place.fetch(file_id)[0].status == 200, "a download gives its place back"
    place.send_raw(file_id, b"")
    assert place.fetch(file_id)[0].status == 200, "and so does a failed upload"


def test_nobody_gets_all_places(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four, a user has at most two, and the users of one customer at most three."""
    file_id, other_customer = place.keep(), new_id()
    monkeypatch.setattr(places, "PATIENCE_SECONDS", 0.01)
    user = actors.user(place.user.id)
    with (
        places.place(customer_id=place.customer.id, actor=user),
        places.place(customer_id=place.customer.id, actor=user),
    ):
        for answer in (place.fetch(file_id)[0], place.send(place.announced(), pdf(1000))):
            assert (answer.status, answer.error_type) == (503, "temporarily_unavailable")
        with places.place(customer_id=place.customer.id, actor="user:another"):
            assert not places.of_process(4).take(place.customer.id, "user:a third")
            with places.place(customer_id=other_customer, actor="user:elsewhere"):
                pass  # another customer's users go on
    assert place.fetch(file_id)[0].status == 200


def test_an_upload_may_not_take_for_ever(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    file_id = place.announced(LONG)
    monkeypatch.setattr(transfers, "UNHURRIED_SECONDS", -1000.0)
    answer = place.send(file_id, pdf(LONG))
    assert (answer.status, answer.error_type) == (408, "upload_too_slow")
    place.require_nothing_kept()
