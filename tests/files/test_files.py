"""Files of a user: announced, sent, listed, fetched, deleted."""

from hashlib import sha256

import pytest

from apps.audit.models import Event
from apps.core import actors
from apps.files.models import UserFile
from tests import factories
from tests.files.keeping import PNG, Place, pdf

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_content_comes_back_as_it_was_sent(place: Place) -> None:
    """C2.3.1, C4: of any length, also one that ends with a record or a chunk."""
    for size in (len(PNG), 1000, 65_519, 65_520, 65_536, 131_038, 131_072, 300_000):
        content = pdf(size)
        file_id = place.keep(content)
        answer, found = place.fetch(file_id)
        assert answer.status == 200
        assert found == content
        assert answer.headers["content-encoding"] == "aes128gcm"
        assert int(answer.headers["content-length"]) == len(answer.wire)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.encrypted
        assert content not in answer.wire


def test_a_file_is_described_before_and_after_its_content_has_come(place: Place) -> None:
    content = pdf(1000)
    announced = place.announce(len(content), name="Ausweis Vorderseite.pdf").document
    assert (announced["name"], announced["purpose"], announced["size"]) == (
        "Ausweis Vorderseite.pdf",
        "identity_document",
        1000,
    )
    assert announced["uploaded_at"] is announced["media_type"] is announced["sha256"] is None
    assert announced["expires_at"]
    sent = place.send(announced["id"], content).document
    assert sent["media_type"] == "application/pdf"
    assert sent["sha256"] == sha256(content).hexdigest()
    assert sent["uploaded_at"]
    assert sent["expires_at"] is None
    assert place.client.get(f"/api/files/{announced['id']}", token=place.token).document == sent


def test_files_are_listed_newest_first_page_by_page(place: Place) -> None:
    made = [place.announced(name=f"{number}.pdf") for number in range(5)]
    first = place.client.get("/api/files?limit=3", token=place.token).document
    second = place.client.get(f"/api/files?limit=3&cursor={first['next']}", token=place.token).document
    assert [row["id"] for row in (*first["results"], *second["results"])] == made[::-1]
    assert second["next"] is None


def test_nobody_else_finds_a_file(place: Place) -> None:
    """C1.5, C4: no other user of the same customer, and none of another."""
    file_id = place.keep()
    another = factories.customer()
    for token in (place.other_user(), place.other_user("ada@example.com", another)):
        assert place.client.get("/api/files", token=token).document["results"] == []
        for answer in (
            place.client.get(f"/api/files/{file_id}", token=token),
            place.fetch(file_id, token=token)[0],
            place.send(file_id, pdf(1000), token=token),
            place.client.delete(f"/api/files/{file_id}", token=token),
        ):
            assert (answer.status, answer.error_type) == (404, "not_found")
    assert place.fetch(file_id)[1] == pdf(1000)


def test_a_content_that_has_not_come_is_not_found(place: Place) -> None:
    answer, _ = place.fetch(place.announced())
    assert (answer.status, answer.error_type, answer.encrypted) == (404, "not_found", True)


def test_an_upload_can_be_repeated(place: Place) -> None:
    """C2.3.1: the same content is answered in the same way; another takes its place, and nothing stays of the one before."""
    first, second = pdf(1000), pdf(1000)[:-1] + b"x"
    file_id = place.keep(first)
    before = place.client.get(f"/api/files/{file_id}", token=place.token).document
    assert place.send(file_id, first).document == before
    place.require_nothing_kept(but=[file_id])
    assert place.send(file_id, second).status == 200
    assert place.fetch(file_id)[1] == second


def test_a_deleted_file_is_gone(place: Place) -> None:
    file_id = place.keep()
    assert place.client.delete(f"/api/files/{file_id}", token=place.token).status == 200
    assert place.fetch(file_id)[0].status == 404
    assert place.client.delete(f"/api/files/{file_id}", token=place.token).status == 404
    assert place.used() == 0
    assert not UserFile.objects.exists()


def test_events_say_what_was_done_and_never_what_a_file_is_called(place: Place) -> None:
    file_id = place.keep(name="Strafregisterauszug.pdf")
    place.fetch(file_id)
    place.client.delete(f"/api/files/{file_id}", token=place.token)
    found = Event.objects.of(place.customer.id).filter(action__startswith="file_").order_by("at", "id")
    assert [event.action for event in found] == ["file_uploaded", "file_opened", "file_deleted"]
    for event in found:
        assert event.actor == actors.user(place.user.id)
        assert event.user_id == place.user.id
        assert event.details["file"] == file_id
        assert "Strafregister" not in str(event.details)


def test_a_pending_user_may_keep_files(place: Place) -> None:
    """C4: its identity documents are what an operator decides by."""
    place.user.status = "pending"
    place.user.save()
    token = factories.session(place.user).access
    file_id = place.announced(token=token)
    assert place.send(file_id, pdf(1000), token=token).status == 200
    assert place.fetch(file_id, token=token)[1] == pdf(1000)


def test_names_are_for_people_and_purposes_for_programs(place: Place) -> None:
    long = "\u00e4" * 255
    assert place.announce(name=long).document["name"] == long
    assert place.announce(name="../../etc/passwd").document["name"] == "../../etc/passwd", "it is no path of ours"
    for name in ("a\u202egnp.exe", "a\0b", "a\r\nSet-Cookie: x", "", " ", "\u3164", "a" * 256, 7, None):
        answer = place.announce(name=name)
        assert (answer.status, answer.error_type) == (400, "validation_error"), name
        assert list(answer.document["error"]["fields"]) == ["name"]
    for purpose in ("", "Identity", "a b", "1", "a" * 65, 7, None):
        answer = place.announce(purpose=purpose)
        assert (answer.status, answer.error_type) == (400, "validation_error"), purpose
    for size in (0, -1, "5", 1.5, None, True, 2**63):
        answer = place.announce(size=size)
        assert (answer.status, answer.error_type) == (400, "validation_error"), size
