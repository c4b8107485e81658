"""What an announcement says fits into PostgreSQL's 8,000 bytes, and is read as it was written."""

import uuid

import pytest

from apps.core.state.subjects import MOST_NAMED, Subject, announcements, parse, whole_customer


def read_back(*subjects: Subject) -> set[Subject]:
    texts = [announcement.payload for announcement in announcements(subjects)]
    assert all(len(text.encode()) < 8000 for text in texts)
    return {subject for text in texts for subject in parse(text).subjects}


def test_what_is_written_is_read() -> None:
    customer_id = uuid.uuid4()
    for subject in (
        Subject("session", customer_id, str(uuid.uuid4())),
        Subject("customer", customer_id),
        whole_customer(customer_id),
    ):
        assert read_back(subject) == {subject}


def test_many_of_one_customer_are_announced_as_the_customer() -> None:
    customer_id = uuid.uuid4()
    few = [Subject("session", customer_id, str(number)) for number in range(MOST_NAMED)]
    assert read_back(*few) == set(few)
    assert read_back(*few, Subject("session", customer_id, "one more")) == {whole_customer(customer_id)}


def test_many_customers_take_several_announcements() -> None:
    subjects = [Subject("session", uuid.uuid4(), str(uuid.uuid4())) for _ in range(500)]
    assert read_back(*subjects) == set(subjects)


@pytest.mark.parametrize("payload", ["", "mark", "mark\nuser", "mark\nuser 1 2", "mark\na b c d", "user 1 2"])
def test_what_is_none_of_ours_is_an_error(payload: str) -> None:
    with pytest.raises(ValueError):
        parse(payload)
