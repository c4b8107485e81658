"""What a process remembers is bounded, and is forgotten by its subject, or by its customer."""

import gc
import tracemalloc
import uuid

from django.conf import settings

from apps.core.state.memory import Memory, Remembered
from apps.core.state.process import present
from apps.core.state.subjects import Announcement, Subject, whole_customer
from apps.tokens import state as sessions

HERE, THERE = uuid.uuid4(), uuid.uuid4()


def remember(memory: Memory, key: str, subject: Subject) -> None:
    memory.put({("kind", key): Remembered(key, subject, 0.0)}, generation=memory.generation)


def heard(*subjects: Subject) -> Announcement:
    return Announcement(uuid.uuid4().hex, subjects, "")


def known(memory: Memory, *keys: str) -> set[object]:
    return {each.value for each in memory.get([("kind", key) for key in keys]).values()}


def test_all_names_of_one_subject_are_forgotten_together_and_others_stay() -> None:
    memory, mine, other = Memory(most=100), Subject("session", HERE, "1"), Subject("session", HERE, "2")
    for key, subject in (("by id", mine), ("by slug", mine), ("other", other)):
        remember(memory, key, subject)
    memory.forget([heard(mine)])
    assert known(memory, "by id", "by slug", "other") == {"other"}


def test_everything_of_a_customer_is_forgotten_by_one_announcement_and_nothing_of_another() -> None:
    memory = Memory(most=100)
    for key, subject in (
        ("a", Subject("session", HERE, "1")),
        ("b", Subject("user", HERE, "1")),
        ("c", Subject("session", THERE, "1")),
    ):
        remember(memory, key, subject)
    memory.forget([heard(whole_customer(HERE))])
    assert known(memory, "a", "b", "c") == {"c"}


def test_what_was_read_before_something_was_forgotten_is_not_stored() -> None:
    """Even if the two are unrelated: then it is read once more."""
    memory = Memory(most=100)
    generation = memory.generation
    memory.forget([heard(Subject("user", THERE, "1"))])
    memory.put({("kind", "a"): Remembered("a", Subject("user", HERE, "1"), 0.0)}, generation=generation)
    assert known(memory, "a") == set()


def test_the_least_lately_used_makes_way() -> None:
    memory = Memory(most=2)
    remember(memory, "a", Subject("user", HERE, "a"))
    remember(memory, "b", Subject("user", HERE, "b"))
    memory.get([("kind", "a")])
    remember(memory, "c", Subject("user", HERE, "c"))
    assert known(memory, "a", "b", "c") == {"a", "c"}


def test_nothing_stays_behind_of_what_was_forgotten() -> None:
    memory = Memory(most=100)
    for number in range(1000):
        remember(memory, str(number), Subject("user", uuid.uuid4(), str(number)))
        memory.forget([heard(Subject("user", HERE, str(number)))])
    memory.forget_everything()
    for number in range(1000):
        remember(memory, str(number), Subject("user", uuid.uuid4(), str(number)))
    assert len(memory) == len(memory._addresses) == len(memory._subjects) == 100


def test_a_value_that_changed_its_subject_is_forgotten_by_the_new_one_alone() -> None:
    memory, before, after = Memory(most=100), Subject("customer", HERE), Subject("customer", THERE)
    remember(memory, "slug", before)
    remember(memory, "slug", after)
    memory.forget([heard(before)])
    assert known(memory, "slug") == {"slug"}
    memory.forget([heard(after)])
    assert known(memory, "slug") == set()


def test_a_processs_own_announcement_is_applied_once() -> None:
    """At its commit, and not again when it is heard: what was read between the two is new."""
    memory, mine = Memory(most=100), Subject("user", HERE, "1")
    own = heard(mine)
    remember(memory, "old", mine)
    memory.forget_own(own)
    assert known(memory, "old") == set()
    remember(memory, "new", mine)
    memory.forget([own])
    assert known(memory, "new") == {"new"}
    memory.forget([own])  # the same words from elsewhere
    assert known(memory, "new") == set()


def session(number: int) -> tuple[tuple[str, tuple[uuid.UUID, uuid.UUID]], Remembered]:
    """A session as a process remembers it, of a customer of its own: the most that one can take."""
    key = uuid.UUID(int=number), uuid.UUID(int=2**64 + number)
    names = ("user_id", "delivery", "sandbox_key_id", "oauth_client_id", "payload_key")
    times = dict.fromkeys(("expires_at", "last_activity_at", "auth_time"), "2026-11-28T12:00:00+00:00")
    row = {**dict.fromkeys(names, ""), "user_id": str(key[0]), "delivery": "body", "revoked": []}
    value = sessions.BY_ID.parse(key, {**row, **times, "ended_at": None})
    return ("session", key), Remembered(value, sessions.subject(*key), 0.0)


def test_a_process_remembers_so_many_and_they_take_so_little() -> None:
    """Of a million different sessions as much as of the first ones: 11 MB at most, which is what docs/scaling.md reckons with."""
    assert present().memory._most == settings.STATE_MOST_REMEMBERED == 6_000
    memory, most = Memory(most=1000), 1000
    tracemalloc.start()
    try:
        for number in range(5 * most):
            memory.put(dict([session(number)]), generation=memory.generation)
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(memory) == most
    assert taken / most < 1500  # bytes; 1000 where customers have many sessions
