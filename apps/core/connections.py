"""How connections to Valkey are made: no silent retries, and each learns which run of the server it talks to."""

import re
from typing import Any

from django_redis.pool import ConnectionFactory as DjangoRedisConnectionFactory
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection
from redis.retry import Retry

RUN_ID = re.compile(rb"run_id:([0-9a-f]{40})")


class Run:
    """The id of the server run that the newest connection of this process leads to."""

    id = ""


def learn_run_id(connection: AbstractConnection) -> None:
    """Called once per new connection: a restart ends every old connection, so a newer run is always noticed first."""
    connection.on_connect()  # type: ignore[no-untyped-call]  # redis-py is typed in part
    connection.send_command("INFO", "server")  # type: ignore[no-untyped-call]
    answer = connection.read_response()
    found = RUN_ID.search(answer if isinstance(answer, bytes) else str(answer).encode())
    Run.id = found.group(1).decode() if found else ""


class ConnectionFactory(DjangoRedisConnectionFactory):  # type: ignore[misc]  # django-redis has no types
    """Named by the setting DJANGO_REDIS_CONNECTION_FACTORY."""

    def make_connection_params(self, url: str) -> dict[str, Any]:
        params: dict[str, Any] = super().make_connection_params(url)
        # A retried script would count twice; a caller that must wait for a dead Valkey cannot answer 503 in time.
        return {**params, "redis_connect_func": learn_run_id, "retry": Retry(NoBackoff(), 0), "max_connections": 512}
