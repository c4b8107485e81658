"""C6: a limit holds in every window, exactly, under any concurrency."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core import rate_limits, valkey
from apps.core.errors import RateLimited
from apps.core.ids import new_id
from apps.core.rate_limits import Limit, Rule
from apps.core.valkey import ValkeyUnavailable
from tests.engines import OwnValkey
from tests.races import at_once, outcome
from tests.roundtrips import counted
from tests.timing import takes_at_most

pytestmark = pytest.mark.django_db(transaction=True)


def rule(count: int, window: int = 60, name: str = "tries", *, of: object = "one") -> Rule:
    return Rule(Limit(name, count, window), valkey.key(str(of), "limit", name))


def refused(*rules: Rule) -> RateLimited:
    with pytest.raises(RateLimited) as caught:
        rate_limits.hit(rules)
    return caught.value


def logged(one: Rule) -> int:
    return int(valkey.client().zcard(one.key))


def pass_time(one: Rule, seconds: float) -> None:
    """What is logged becomes so much older. A test that slept would be late where the machine is slow."""
    client = valkey.client()
    for event in client.zrange(one.key, 0, -1):
        client.zincrby(one.key, -1000 * seconds, event)
    client.pexpire(one.key, max(0, client.pttl(one.key) - round(1000 * seconds)))


def test_it_admits_as_many_as_it_says_and_counts_down() -> None:
    assert [rate_limits.hit([rule(3)]).remaining for _ in range(3)] == [{"tries": 2}, {"tries": 1}, {"tries": 0}]
    assert refused(rule(3)).limit == "tries"


def test_customers_have_counters_of_their_own() -> None:
    """C1.5: two sets of limits."""
    rate_limits.hit([rule(1, of="one")])
    assert rate_limits.hit([rule(1, of="other")]).remaining == {"tries": 0}
    assert refused(rule(1, of="one"))


@pytest.mark.race
def test_of_two_hundred_at_once_exactly_as_many_as_allowed_are_admitted() -> None:
    """C6: counters cannot be evaded by racing."""
    limited = rule(17)
    results = at_once(200, lambda _: outcome(lambda: rate_limits.hit([limited])), threads=200)
    assert results.count("done") == 17
    assert results.count("RateLimited") == 183
    assert logged(limited) == 17


@pytest.mark.race
def test_several_limits_stay_in_step_under_concurrency() -> None:
    narrow, wide = rule(5, name="narrow"), rule(50, name="wide")
    at_once(100, lambda _: outcome(lambda: rate_limits.hit([wide, narrow])), threads=50)
    assert (logged(narrow), logged(wide)) == (5, 5)


def test_who_waits_as_long_as_told_is_let_in_and_not_before() -> None:
    limited = rule(2, window=1000)
    rate_limits.hit([limited])
    pass_time(limited, 400)
    rate_limits.hit([limited])
    wait = refused(limited).retry_after
    assert wait is not None
    assert 500 < wait <= 600
    pass_time(limited, wait - 100)
    assert 0 < (refused(limited).retry_after or 0) <= 100
    pass_time(limited, 100)
    assert rate_limits.hit([limited]).remaining == {"tries": 0}
    assert refused(limited)  # the second of the two still counts: the window slides


def test_refused_events_are_not_counted() -> None:
    """Trying again while refused does not make the wait longer."""
    limited = rule(1, window=1000)
    rate_limits.hit([limited])
    for _ in range(20):
        refused(limited)
    pass_time(limited, 1000)
    assert rate_limits.hit([limited]).remaining == {"tries": 0}


def test_time_passes_by_itself() -> None:
    limited = rule(1, window=1)
    rate_limits.hit([limited])
    time.sleep(1.01)
    assert rate_limits.hit([limited]).remaining == {"tries": 0}


def test_an_event_counts_against_all_limits_or_against_none() -> None:
    narrow, wide = rule(1, name="narrow"), rule(10, name="wide")
    rate_limits.hit([wide, narrow])
    for order in ([wide, narrow], [narrow, wide]):
        assert refused(*order).limit == "narrow"
    assert logged(wide) == 1


def test_of_several_refusals_it_names_the_longest() -> None:
    """A client that waits for the shorter one would be refused again."""
    short, long = rule(1, window=5, name="short"), rule(1, window=500, name="long")
    rate_limits.hit([short, long])
    caught = refused(short, long)
    assert caught.limit == "long"
    assert 400 < (caught.retry_after or 0) <= 500


def test_a_limit_of_nothing_admits_nothing() -> None:
    caught = refused(rule(0, window=30))
    assert (caught.limit, caught.retry_after) == ("tries", 30)


def test_a_limit_that_was_lowered_waits_for_as_many_to_leave() -> None:
    for _ in range(3):
        pass_time(rule(3), 200)
        rate_limits.hit([rule(3, window=1000)])
    for count in (1, 0):
        assert 900 < (refused(rule(count, window=1000)).retry_after or 0) <= 1000, "until the last of the three leaves"
    assert 700 < (refused(rule(2, window=1000)).retry_after or 0) <= 800


def test_a_log_ends_with_its_window_and_never_outgrows_its_limit() -> None:
    limited = rule(3, window=1000)
    for _ in range(10):
        outcome(lambda: rate_limits.hit([limited]))
    assert logged(limited) == 3
    assert 900_000 < valkey.client().pttl(limited.key) <= 1_000_000


def test_several_limits_cost_one_round_trip() -> None:
    rules = [rule(5, name=name) for name in ("one", "two", "three")]
    rate_limits.hit(rules)
    with counted() as cost:
        rate_limits.hit(rules)
    assert cost.round_trips == 1


def test_a_script_behind_a_limit_runs_once_it_admits_and_not_when_it_refuses() -> None:
    """With both keys of the caller's choice: a wrong guess of a network that is refused must not use up a code's tries."""
    name, first = valkey.key("two", "counted"), rule(2)
    counting = rate_limits.Limited(valkey.Script("return {redis.call('INCRBY', KEYS[1], ARGV[1])}", kinds=("string",)))
    with counted() as cost:
        hits = [counting(first, keys=[name], args=[5]) for _ in range(2)]
    assert cost.round_trips <= 3, "one each, and one to make the script known"
    assert [(hit.remaining, answer) for hit, answer in hits] == [({"tries": 1}, [5]), ({"tries": 0}, [10])]
    with pytest.raises(RateLimited) as caught:
        counting(first, keys=[name], args=[5])
    assert (caught.value.limit, valkey.client().get(name)) == ("tries", b"10")
    rate_limits.give_back(hits[0][0])
    assert logged(first) == 1


def test_a_flushed_script_is_loaded_again() -> None:
    rate_limits.hit([rule(5)])
    valkey.client().script_flush()
    assert rate_limits.hit([rule(5)]).remaining == {"tries": 3}


def test_without_valkey_nothing_is_admitted_and_nobody_waits_long(valkey_away: OwnValkey) -> None:
    """C6: never unlimited."""
    rate_limits.hit([rule(5)])
    valkey_away.kill()

    def hit() -> None:
        with pytest.raises(ValkeyUnavailable):
            rate_limits.hit([rule(5)])

    assert takes_at_most(0.8, hit)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(count=st.integers(0, 6), hits=st.integers(0, 12))
def test_of_any_number_of_events_the_smaller_is_admitted(count: int, hits: int) -> None:
    limited = rule(count, of=new_id())
    results = [outcome(lambda: rate_limits.hit([limited])) for _ in range(hits)]
    assert results.count("done") == min(count, hits)
    assert set(results) <= {"done", "RateLimited"}
