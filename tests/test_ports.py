"""Ports for servers that a test starts as processes (tests/ports.py)."""

import socket
from itertools import pairwise

from tests.ports import EACH, free_port


def test_no_port_is_given_that_somebody_listens_at_and_none_twice_in_a_row() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        given = [free_port() for _ in range(EACH)]
        assert taken.getsockname()[1] not in given
    assert all(one != next_one for one, next_one in pairwise(given))
