"""C8: many networks in a short time. An account that is used from everywhere may be in several hands."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.conf import settings

from apps.audit import actions, events
from apps.audit.models import Event
from apps.core.ids import new_id
from apps.signin import many_networks
from tests import factories, races

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FOUR = ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1")


@pytest.fixture
def user_id() -> UUID:
    return factories.user(factories.customer()).id


def used(user_id: UUID, *addresses: str | None, at: datetime = NOW, action: str = actions.SIGN_IN) -> None:
    for address in addresses:
        context = factories.context(now=at, ip=address)
        events.record(action=action, customer_id=UUID(int=1), user_id=user_id, context=context)


def told() -> list[tuple[object, ...]]:
    return list(Event.objects.filter(action="many_networks").values_list("user_id", "severity", "details"))


def test_an_account_used_from_four_networks_within_an_hour_is_told_of_once(user_id: UUID) -> None:
    used(user_id, *FOUR[:2], at=NOW - 59 * MINUTE)
    used(user_id, *FOUR[2:], at=NOW - MINUTE, action=actions.TOKEN_REFRESHED)
    assert many_networks.record(now=NOW) == 1
    assert told() == [(user_id, "medium", {"networks": 4, "minutes": 60})]
    used(user_id, "8.8.8.8", at=NOW)
    assert many_networks.record(now=NOW + MINUTE) == 0


def test_it_is_told_of_again_when_it_goes_on(user_id: UUID) -> None:
    for hours in (0, 2):
        at = NOW + timedelta(hours=hours)
        used(user_id, *FOUR, at=at)
        assert many_networks.record(now=at + MINUTE) == 1
    assert len(told()) == 2


@pytest.mark.parametrize(
    "addresses",
    [
        FOUR[:3],
        ("192.0.2.1", "192.0.3.1", "192.0.77.1", "192.0.200.9", "192.0.1.1"),  # a phone that moves
        ("2001:db8::1", "2001:db8:1::1", "2001:db8:2::1", "2001:db8:ffff::1"),
        (None, None, None, None),  # a server that knows no peer
    ],
)
def test_a_user_who_moves_about_is_left_in_peace(user_id: UUID, addresses: tuple[str | None, ...]) -> None:
    used(user_id, *addresses)
    assert many_networks.record(now=NOW + MINUTE) == 0


def test_it_is_of_one_user_and_of_a_short_time(user_id: UUID) -> None:
    for address in FOUR:
        used(new_id(), address)
    for number, address in enumerate(FOUR):
        used(user_id, address, at=NOW - number * 30 * MINUTE)
    used(user_id, *FOUR, action=actions.SIGNATURE_FAILED)  # by others, perhaps
    assert many_networks.record(now=NOW + MINUTE) == 0


def test_of_workers_at_once_one_tells(user_id: UUID) -> None:
    used(user_id, *FOUR)
    assert sum(races.at_once(6, lambda _: many_networks.record(now=NOW + MINUTE), threads=6)) == 1
    assert len(told()) == 1


def test_beat_asks_for_it() -> None:
    assert "signin.watch_networks" in {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
