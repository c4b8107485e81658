"""simplejwt, as the jobs measure it."""

import subprocess
import sys
from functools import cache, cached_property

from benchmarks import load
from benchmarks.engines import Engines
from benchmarks.load import Requests
from benchmarks.servers import Application, environment_of, granian
from benchmarks.subject import Subject

USERS = 100


class SimpleJwt(Subject):
    way: str

    def application(self) -> Application:
        return granian("benchmarks.bare.wsgi:application", environment=self._environment)

    def who_am_i(self) -> Requests:
        command = [sys.executable, "-m", "benchmarks.simplejwt.prepare", str(USERS)]
        environment = environment_of(self.application())
        printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        headers = [{"Authorization": f"Bearer {token}"} for token in printed.split()]
        return load.write(
            self.folder / "me.requests", (load.request("GET", "/api/auth/me", headers=one) for one in headers)
        )

    @cached_property
    def _environment(self) -> dict[str, str]:
        return {
            "DJANGO_SETTINGS_MODULE": "benchmarks.simplejwt.settings",
            "DATABASE_URL": _database(self.engines),
            "SIMPLEJWT_WAY": self.way,
        }


class Stateless(SimpleJwt):
    name = "simplejwt_stateless"
    title = "simplejwt, stateless: nothing can be revoked"
    way = "stateless"


class WithUser(SimpleJwt):
    name = "simplejwt_user"
    title = "simplejwt with its SQL user"
    way = "user"


class WithBlacklist(SimpleJwt):
    name = "simplejwt_blacklist"
    title = "simplejwt with its SQL user and its blacklist"
    way = "blacklist"


@cache
def _database(engines: Engines) -> str:
    """One for all three: their tables and users are the same."""
    return engines.fresh_database("simplejwt")
