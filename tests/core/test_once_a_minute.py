"""Events that strangers can cause are recorded at most once a minute, even while Valkey is away."""

from uuid import uuid4

import pytest

from apps.core import valkey
from tests.engines import OwnValkey
from tests.races import at_once


def test_the_first_of_a_minute_is_told_and_no_other() -> None:
    mine, other = uuid4(), uuid4()
    assert valkey.is_first_this_minute(mine, "reported", "this")
    assert not valkey.is_first_this_minute(mine, "reported", "this")
    assert valkey.is_first_this_minute(other, "reported", "this")
    assert valkey.is_first_this_minute(mine, "reported", "that")


def test_a_minute_later_it_is_told_again() -> None:
    mine = uuid4()
    assert valkey.is_first_this_minute(mine, "reported", "this")
    seconds = valkey.client().ttl(valkey.key(mine, "reported", "this"))
    assert 0 < seconds <= 60


def test_without_valkey_nothing_is_told(valkey_away: OwnValkey) -> None:
    valkey_away.kill()
    assert not valkey.is_first_this_minute(uuid4(), "reported", "this")


@pytest.mark.race
def test_of_many_at_once_one_is_the_first() -> None:
    mine = uuid4()
    told = at_once(64, lambda _: valkey.is_first_this_minute(mine, "reported", "this"))
    assert told.count(True) == 1
