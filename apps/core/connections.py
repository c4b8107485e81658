"""How connections to Valkey are made, to one server or to a cluster: no silent retries."""

import os
from itertools import starmap
from threading import Lock
from typing import Any, ClassVar

from django_redis.pool import ConnectionFactory as DjangoRedisConnectionFactory
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry

MOST_CONNECTIONS = 512  # of a process, to each server


def no_retry() -> Retry:
    """A retried script would count twice; a caller that must wait for a dead Valkey cannot answer 503 in time."""
    return Retry(NoBackoff(), 0)


class ConnectionFactory(DjangoRedisConnectionFactory):
    """Named by the setting DJANGO_REDIS_CONNECTION_FACTORY. `CLUSTER_NODES` among its options: Valkey is a cluster."""

    _clusters: ClassVar[dict[tuple[int, str], RedisCluster]] = {}
    _connecting: ClassVar[Lock] = Lock()

    def make_connection_params(self, url: str) -> dict[str, Any]:
        params: dict[str, Any] = super().make_connection_params(url)
        return {**params, "retry": no_retry(), "max_connections": MOST_CONNECTIONS}

    def connect(self, url: str) -> Any:
        nodes = self.options.get("CLUSTER_NODES")
        return self._cluster(url, nodes) if nodes else super().connect(url)

    def _cluster(self, url: str, nodes: list[tuple[str, int]]) -> RedisCluster:
        """One client for each process: it learns which node has which slots, and shares its connections among threads."""
        process = (os.getpid(), url)
        with self._connecting:
            if process not in self._clusters:
                self._clusters[process] = self._connect_to_cluster(url, nodes)
        return self._clusters[process]

    def _connect_to_cluster(self, url: str, nodes: list[tuple[str, int]]) -> RedisCluster:
        """Raises RedisClusterException while none of the nodes answers.

        Redirections (MOVED, ASK) are followed, since nothing was done; after a lost connection nothing is repeated.
        """
        params = {**self.make_connection_params(url), **self.pool_cls_kwargs, "retry": no_retry()}
        del params["parser_class"]  # the cluster's client has its own
        # Where a part of the slots is away, the customers of the others go on.
        return RedisCluster(startup_nodes=list(starmap(ClusterNode, nodes)), require_full_coverage=False, **params)
