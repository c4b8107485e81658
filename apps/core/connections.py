"""How connections to Valkey are made: no silent retries, and each knows which run of the server it leads to."""

import re
import threading
from typing import Any

from django_redis.pool import ConnectionFactory as DjangoRedisConnectionFactory
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection, Connection, ConnectionPool
from redis.retry import Retry

RUN_ID = re.compile(rb"run_id:([0-9a-f]{40})")


class Run(threading.local):
    """The run that the connection leads to which this thread used last.

    Kept by thread, for two threads may talk to two runs at once: during a restart or a failover, what one of them is
    told must not be judged by the other's server.
    """

    id = ""


run = Run()


class Pool(ConnectionPool):
    """Notes whose connection it lends."""

    def get_connection(self, *args: Any, **options: Any) -> Connection:
        """A connected connection. Raises redis.ConnectionError or redis.TimeoutError."""
        connection = super().get_connection(*args, **options)
        run.id = getattr(connection, "run_id", "")
        return connection


def learn_run_id(connection: AbstractConnection) -> None:
    """Called once per new connection. A restart of the server ends them all, so what is learnt stays true."""
    connection.on_connect()  # type: ignore[no-untyped-call]
    connection.send_command("INFO", "server")  # type: ignore[no-untyped-call]
    answer = connection.read_response()
    found = RUN_ID.search(answer if isinstance(answer, bytes) else str(answer).encode())
    run.id = found.group(1).decode() if found else ""
    connection.run_id = run.id  # type: ignore[attr-defined]  # ours, on redis-py's connection


class ConnectionFactory(DjangoRedisConnectionFactory):  # type: ignore[misc]  # django-redis is not type-checked here
    """Named by the setting DJANGO_REDIS_CONNECTION_FACTORY."""

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__({**options, "CONNECTION_POOL_CLASS": "apps.core.connections.Pool"})

    def make_connection_params(self, url: str) -> dict[str, Any]:
        params: dict[str, Any] = super().make_connection_params(url)
        # A retried script would count twice; a caller that must wait for a dead Valkey cannot answer 503 in time.
        return {**params, "redis_connect_func": learn_run_id, "retry": Retry(NoBackoff(), 0), "max_connections": 512}
