"""Installations that began as the benchmarks' own did: the same secrets, customer and keys, and a database for each."""

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.gatehouse import installation
from benchmarks.gatehouse.subjects import Gatehouse


class Copy(Gatehouse):
    """What makes its requests, and looks at what they have left, runs `inside` it."""

    def __init__(self, original: Gatehouse, name: str, *, valkey: int) -> None:
        self.name, self.world = name, original.world
        self.database = f"{installation.DATABASE}_{name}"
        places = {
            "DATABASE_URL": original.engines.copied_database(installation.EMPTY, self.database),
            "REDIS_URL": original.engines.valkey_database(valkey),
        }
        super().__init__(original.engines, {**original.environment, **places})

    @contextmanager
    def inside(self) -> Iterator[None]:
        """This process's models are those of this database meanwhile."""
        from django.db import connection  # when the installation is there

        before = connection.settings_dict["NAME"]
        connection.close()
        connection.settings_dict["NAME"] = self.database
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = before
