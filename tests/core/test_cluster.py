"""Where Valkey is a cluster: what is lost is said, and nothing is done twice."""

import time

import pytest

from apps.core import rate_limits, valkey
from apps.core.errors import RateLimited
from apps.core.ids import new_id
from apps.core.rate_limits import Limit, Rule
from apps.core.valkey import ValkeyUnavailable
from config import addresses
from tests.valkey_cluster import ValkeyCluster, valkey_cluster
from tests.worker import wait_until

__all__ = ["valkey_cluster"]
FAILS_OVER_WITHIN_SECONDS = 90
pytestmark = pytest.mark.lengthy


@pytest.fixture
def on_cluster(settings: object, valkey_cluster: ValkeyCluster) -> ValkeyCluster:
    """This process uses a cluster."""
    facts = valkey_cluster.environment
    nodes = [addresses.host_and_port(node) for node in facts["REDIS_CLUSTER_NODES"].split(",")]
    usual = settings.CACHES["default"]  # type: ignore[attr-defined]
    options = {**usual["OPTIONS"], "CLUSTER_NODES": nodes, "SOCKET_TIMEOUT": 0.5}
    settings.CACHES = {"default": {**usual, "LOCATION": facts["REDIS_URL"], "OPTIONS": options}}  # type: ignore[attr-defined]
    return valkey_cluster


def a_limit_of(count: int) -> Rule:
    return Rule(Limit("trial", count, 3600), valkey.key(new_id(), "limit", "trial"))


def test_a_lost_node_is_unavailable_and_a_limit_is_never_given_twice(on_cluster: ValkeyCluster) -> None:
    """C6. Every answer is a count, a refusal or an outage; what was admitted stays within the limit, over the fail-over."""
    rule, admitted, away = a_limit_of(5), 2, 0
    for _ in range(admitted):
        rate_limits.hit([rule])
    node = on_cluster.primary_of(rule.key)
    assert node.is_copied(rule.key)
    on_cluster.lose(node)
    until = time.monotonic() + FAILS_OVER_WITHIN_SECONDS
    while time.monotonic() < until:
        try:
            rate_limits.hit([rule])
            admitted += 1
        except ValkeyUnavailable:
            away += 1
        except RateLimited:
            break
    assert (admitted, away > 0) == (5, True)
    on_cluster.heal()
    rules = [a_limit_of(1) for _ in range(20)]
    assert [rate_limits.hit([each]).remaining for each in rules] == [{"trial": 0}] * 20, "all slots are served again"


def test_without_any_node_it_is_an_outage(on_cluster: ValkeyCluster) -> None:
    rate_limits.hit([a_limit_of(1)])
    on_cluster.kill()
    with pytest.raises(ValkeyUnavailable):
        rate_limits.hit([a_limit_of(1)])
    with pytest.raises(ValkeyUnavailable):
        valkey.take(valkey.key(new_id(), "anything"))
    assert valkey.is_first_this_minute(new_id(), "anything") is False


def test_a_script_whose_answer_is_late_is_not_sent_again(on_cluster: ValkeyCluster) -> None:
    """By itself the cluster's client sends it up to eleven times, and each would count."""
    rule = a_limit_of(20)
    rate_limits.hit([rule])
    node = on_cluster.primary_of(rule.key)
    with node.held(), pytest.raises(ValkeyUnavailable):  # it has the script, and does not get to it in time
        rate_limits.hit([rule])
    wait_until(lambda: node.client.zcard(rule.key) > 1)
    assert node.client.zcard(rule.key) == 2


def test_a_value_of_another_type_is_absent_there_too(on_cluster: ValkeyCluster) -> None:
    rule = a_limit_of(1)
    with valkey.reachable():
        valkey.client().set(rule.key, "written by somebody else")
    assert rate_limits.hit([rule]).remaining == {"trial": 0}
