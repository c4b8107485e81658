"""C4: limits per customer, exact whatever comes at once; and several uploads of one file."""

from collections import Counter

import pytest

from apps.files import places
from apps.files.models import UserFile
from tests import factories
from tests.files.keeping import Place, pdf
from tests.races import at_once
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_file_is_at_most_as_large_as_the_customer_says(place: Place) -> None:
    factories.policy(place.customer, largest_file_bytes=2000)
    place.keep(pdf(2000))
    answer = place.announce(2001)
    assert (answer.status, answer.error_type) == (413, "file_too_large")


def test_by_default_a_file_has_25_mib_and_a_customer_1_gib(place: Place) -> None:
    assert place.announce(25 * 2**20).status == 201
    assert place.announce(25 * 2**20 + 1).error_type == "file_too_large"
    for _ in range(39):
        place.announced(25 * 2**20)
    assert place.announce(24 * 2**20 + 1).error_type == "quota_exceeded"
    assert place.announce(24 * 2**20).status == 201


@pytest.mark.race
def test_a_total_of_n_bytes_gives_exactly_n_under_any_concurrency(place: Place) -> None:
    """Of all the customer's users together; another customer's count apart."""
    factories.policy(place.customer, total_file_bytes=5500)
    tokens = [place.other_user(f"user{number}@example.com") for number in range(12)]
    answers = at_once(12, lambda number: place.announce(1000, token=tokens[number]))
    assert Counter(answer.error_type for answer in answers) == {None: 5, "quota_exceeded": 7}
    assert place.used() == 5000
    refused = next(answer for answer in answers if answer.error_type)
    assert (refused.status, refused.document["error"]["limit"]) == (429, "total_file_bytes")
    assert place.announce(501).status == 429
    assert place.announce(500).status == 201
    place.client.delete(f"/api/files/{UserFile.objects.filter(size=1000)[0].id}", token=place.token)
    assert Place(lambda *_: place.client, place.storage).announce(1000).status == 201  # type: ignore[arg-type, return-value]


@pytest.mark.race
def test_deleting_the_same_file_many_times_gives_its_bytes_back_once(place: Place) -> None:
    file_id = place.keep()
    place.announced(1000)
    answers = at_once(6, lambda _: place.client.delete(f"/api/files/{file_id}", token=place.token))
    assert Counter(answer.status for answer in answers) == {200: 1, 404: 5}
    assert place.used() == 1000


@pytest.mark.race
def test_a_user_has_only_so_many_files(place: Place) -> None:
    """Tiny ones cost a row and an object each."""
    factories.limit(place.customer, "files_per_user", 3, 0)
    answers = at_once(8, lambda _: place.announce(1))
    assert Counter(answer.error_type for answer in answers) == {None: 3, "quota_exceeded": 5}
    assert next(answer for answer in answers if answer.error_type).document["error"]["limit"] == "files_per_user"
    assert place.announce(1, token=place.other_user()).status == 201


@pytest.mark.race
def test_of_several_uploads_of_one_file_at_once_one_counts_and_the_others_leave_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two wait for a place, as long as a busy machine takes for the other two."""
    monkeypatch.setattr(places, "PATIENCE_SECONDS", 90)
    for _ in range(3):
        file_id = place.announced(100_000)
        contents = [pdf(100_000)[:-1] + bytes([number]) for number in range(4)]
        answers = at_once(4, lambda number, file_id=file_id, contents=contents: place.send(file_id, contents[number]))
        assert all(answer.status == 200 or answer.error_type == "upload_superseded" for answer in answers)
        assert any(answer.status == 200 for answer in answers)
        found = place.fetch(file_id)[1]
        assert found in [content for content, answer in zip(contents, answers, strict=True) if answer.status == 200]


def test_what_a_call_costs(place: Place) -> None:
    """SQL statements of a process that remembers user and session, and round trips to Valkey."""
    file_id = place.keep()
    place.fetch(file_id)
    for calls, statements in (
        (lambda: place.client.get("/api/files", token=place.token), 1),
        (lambda: place.client.get(f"/api/files/{file_id}", token=place.token), 1),
        (lambda: place.announce(1000), 4),  # user locked, files counted, bytes taken, row
        (lambda: place.fetch(file_id), 2),  # row, event
        (lambda: place.send(file_id, pdf(1000)[:-1] + b"x"), 7),  # row, object, user, file, object settled, file, event
        (lambda: place.client.delete(f"/api/files/{file_id}", token=place.token), 3),  # row, deletion, event
    ):
        with counted() as cost:
            assert calls().status if hasattr(calls, "status") else calls()
        assert (len(cost.statements), cost.round_trips) == (statements, 0), cost.statements
