"""A conversation ends when its time is up, even if the other side keeps sending."""

import socket
import time

import pytest

from apps.core.deadlines import Deadline


def test_no_wait_is_longer_than_a_step() -> None:
    assert Deadline.after(60, step=10).next_wait() == 10


def test_the_last_wait_ends_with_the_conversation() -> None:
    deadline = Deadline.after(5, step=10)
    first = deadline.next_wait()
    assert deadline.next_wait() < first <= 5


@pytest.mark.parametrize("seconds", [0, -1])
def test_nothing_is_waited_for_once_the_time_is_over(seconds: float) -> None:
    with pytest.raises(TimeoutError):
        Deadline.after(seconds, step=10).next_wait()


def test_a_peer_that_drips_gains_no_time() -> None:
    """Each byte arrives within the step, and there is always another: the deadline alone ends it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"." * 100_000)
        deadline = Deadline.after(0.05, step=10)
        with pytest.raises(TimeoutError):
            while True:
                deadline.hurry(ours)
                assert ours.recv(1) == b"."
                time.sleep(0.001)
        assert ours.recv(1) == b"."  # it had not run dry
