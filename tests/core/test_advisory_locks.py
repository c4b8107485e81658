"""Turns between processes: one at a time, for as long as the process lives, and never longer."""

import os
import signal
import threading

import pytest
from django.conf import settings
from django.db import connection, connections, transaction

from apps.core import advisory_locks
from tests import races, warm
from tests.worker import environment_of_process, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

HOLDER = """
import django, time
django.setup()
from apps.core import advisory_locks
with advisory_locks.try_to_hold("trial", at_most_seconds=60) as is_ours:
    print(is_ours, flush=True)
    time.sleep(60)
"""


def is_free(name: str) -> bool:
    with advisory_locks.try_to_hold(name, at_most_seconds=60) as is_ours:
        return is_ours


def test_a_lock_is_held_by_one_at_a_time_and_others_are_other_locks() -> None:
    with advisory_locks.try_to_hold("trial", at_most_seconds=60) as is_ours:
        assert is_ours
        assert not is_free("trial")
        assert is_free("another")
    assert is_free("trial")


def test_what_is_done_meanwhile_commits_by_itself() -> None:
    """The lock has its own transaction: work done under it commits by itself and is not lost with it."""
    with advisory_locks.try_to_hold("trial", at_most_seconds=60):
        assert not connection.in_atomic_block
        with transaction.atomic():
            done = []
            transaction.on_commit(lambda: done.append("committed"))
        assert done == ["committed"]


def test_an_error_gives_the_lock_back() -> None:
    with pytest.raises(ZeroDivisionError), advisory_locks.try_to_hold("trial", at_most_seconds=60):
        1 / 0  # noqa: B018
    assert is_free("trial")


def test_a_killed_process_gives_the_lock_back() -> None:
    said, its_end = os.pipe()
    with os.fdopen(said) as output, os.fdopen(its_end, "w") as written:
        process = warm.Process(["-c", HOLDER], environment=environment_of_process(), output=written)
        assert output.readline() == "True\n"
        assert not is_free("trial")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    wait_until(lambda: is_free("trial"))


def test_postgresql_ends_a_lock_whose_holder_has_gone_silently() -> None:
    """A host that lost its power does not release its lock: the lock ends when its time is up."""
    with advisory_locks.try_to_hold("trial", at_most_seconds=0.2):
        wait_until(lambda: is_free("trial"))


@pytest.mark.race
def test_runs_of_a_task_at_once_are_one_run_and_the_next_is_let_in() -> None:
    """C7: periodic tasks never overlap themselves."""
    everybody_has_asked = threading.Barrier(8)
    runs: list[int] = []

    @advisory_locks.alone
    def task() -> int:
        runs.append(1)
        if len(runs) == 1:
            everybody_has_asked.wait(90)
        return 7

    def run(_: int) -> int:
        returned = task()
        if returned == 0:
            everybody_has_asked.wait(90)
        return returned

    assert sorted(races.at_once(8, run, threads=8)) == [0] * 7 + [7]
    assert runs == [1]
    assert task() == 7
    connections.close_all()


def test_a_lock_outlives_the_longest_task() -> None:
    assert settings.CELERY_TASK_TIME_LIMIT + advisory_locks.MARGIN_SECONDS > settings.CELERY_TASK_TIME_LIMIT
