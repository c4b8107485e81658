"""What nobody waits for any more is removed, in the database and in the storage; and bytes that are no longer taken do not count."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts import erasure
from apps.core import actors
from apps.core.errors import TemporarilyUnavailable
from apps.customers.models import Customer
from apps.files import object_store, receiving, stored_objects, sweeping, tasks
from apps.files.models import FileUse, StoredObject, UserFile
from apps.users.models import User
from tests import factories
from tests.files.keeping import Place, pdf
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def later(**by: float) -> int:
    return sweeping.sweep(now=timezone.now() + timedelta(**by))


def test_a_file_whose_content_never_comes_is_deleted_and_gives_its_bytes_back(place: Place) -> None:
    place.announced(1000)
    kept = place.keep(pdf(500))
    assert place.used() == 1500
    later(minutes=59)
    assert place.used() == 1500
    later(minutes=61)
    assert place.used() == 500
    assert [str(file.id) for file in UserFile.objects.all()] == [kept]
    assert place.fetch(kept)[1] == pdf(500)


def test_an_upload_that_ends_with_its_process_leaves_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its object is known before it is there. While it shows life nobody touches it."""
    file_id = place.announced(1000)
    dead = stored_objects.begin(place.customer.id)
    object_store.write(dead.name, [b"half of it"])
    assert len(place.objects()) == 1
    assert later(minutes=9) == 0
    assert later(minutes=11) == 1
    place.require_nothing_kept()
    assert place.send(file_id, pdf(1000)).status == 200


def test_an_upload_that_was_given_up_cannot_count_any_more(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that slept for an hour, and wakes when its object has been removed."""
    file_id = place.announced(1000)
    complete = receiving._complete

    def slept(*given: object) -> UserFile:
        UserFile.objects.update(expires_at=timezone.now() + timedelta(days=1))
        later(minutes=11)
        return complete(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(receiving, "_complete", slept)
    answer = place.send(file_id, pdf(1000))
    assert (answer.status, answer.error_type) == (409, "upload_superseded")
    place.require_nothing_kept()


def test_what_was_deleted_replaced_or_erased_goes_from_the_storage(place: Place) -> None:
    """C4, C8: an erasure reaches the storage, too."""
    replaced = place.keep()
    place.send(replaced, pdf(1000)[:-1] + b"x")
    deleted = place.keep()
    place.client.delete(f"/api/files/{deleted}", token=place.token)
    assert len(place.objects()) == 3
    assert tasks.sweep() == 2
    place.require_nothing_kept(but=[replaced])
    erasure.erase(customer_id=place.customer.id, user_id=place.user.id, context=factories.context(actors.SYSTEM))
    assert place.used() == 0
    assert tasks.sweep() == 1
    place.require_nothing_kept()


def test_it_does_not_matter_how_a_file_came_to_be_nobodys(place: Place) -> None:
    """Rows that are deleted by hand, or with a customer, leave nothing in the storage and no bytes that count."""
    place.keep()
    User.objects.filter(id=place.user.id).delete()
    assert place.used() == 0
    other = Place(lambda *_: place.client, place.storage)  # type: ignore[arg-type, return-value]
    other.keep()
    Customer.objects.filter(id=other.customer.id).delete()
    assert not FileUse.objects.of(other.customer.id).exists()
    assert tasks.sweep() == 2
    place.require_nothing_kept()


def test_what_the_storage_does_not_delete_now_it_deletes_later(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for each object, however often it takes."""
    for _ in range(3):
        place.client.delete(f"/api/files/{place.keep()}", token=place.token)
    remove, tried = object_store.remove, []

    def away(name: str) -> None:
        tried.append(name)
        if len(tried) == 2:
            raise TemporarilyUnavailable
        remove(name)

    monkeypatch.setattr(object_store, "remove", away)
    assert tasks.sweep() == 1
    assert StoredObject.objects.filter(doomed=True).count() == 2
    assert tasks.sweep() == 2
    place.require_nothing_kept()


def test_erasing_during_an_upload_leaves_nothing(place: Place) -> None:
    """Any number of times: whichever is first, nothing stays."""
    for number in range(5):
        user = factories.user(place.customer, f"user{number}@example.com")
        token = factories.session(user).access
        file_id = place.announced(1000, token=token)
        things = [
            lambda file_id=file_id, token=token: place.send(file_id, pdf(1000), token=token),
            lambda user=user: erasure.erase(
                customer_id=user.customer_id, user_id=user.id, context=factories.context(actors.SYSTEM)
            ),
        ]
        at_once(2, lambda which, things=things: things[which]())
    tasks.sweep()
    place.require_nothing_kept()
    assert place.used() == 0


def test_the_export_names_files_and_where_they_are_to_be_had(place: Place) -> None:
    """C4: all data held about the user."""
    kept = place.keep(name="passport.pdf")
    waiting = place.announced(purpose="avatar")
    answer = place.client.get("/api/auth/me/export?section=files", token=place.token).document
    found = {row["id"]: row for row in answer["results"]}
    assert found[kept]["name"] == "passport.pdf"
    assert found[kept]["content"] == f"/api/files/{kept}/content"
    assert found[waiting]["content"] is None
    assert "key" not in str(answer)
