"""Revokes in every way, and asks three web processes every five milliseconds from the moment when the call has answered (C3.4).

    python -m tests.state.probe PROBES [OF_EACH_CHANGE]

So many under each disturbance, and of each process after each change. Starts engines of its own, since it kills and stops
them. The last line is a JSON document; ends with 1 if anybody was let in. `make probe` makes 100,000 probes and more.
"""

import http.client
import itertools
import json
import os
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

EVERY_SECONDS = 0.005
ANSWER_SECONDS = 30.0


def main(probes: int, of_each_change: int = 20) -> int:
    with tempfile.TemporaryDirectory(prefix="gh-probe-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        _start_engines(folder)
        try:
            report = _run(folder, probes, of_each_change)
        finally:
            _discard_engines(folder)
    sys.stdout.write(f"\n{json.dumps(report)}\n")
    return 1 if report["let_in"] else 0


def _start_engines(folder: Path) -> None:
    from config import embedded

    engines = embedded.ensure(folder / "engines")  # durable: PostgreSQL is killed
    (folder / "valkey").mkdir()
    os.environ.update(
        DATABASE_URL=engines.database_url,
        REDIS_URL=f"unix://{folder / 'valkey' / 'valkey.sock'}?db=0",
        DJANGO_SETTINGS_MODULE="config.settings.test",
        STATE_LEASE_MS=os.environ.get("STATE_LEASE_MS", "100"),
        VALKEY_TIMEOUT_SECONDS="0.5",  # as in production: it is stopped under some changes
    )


def _discard_engines(folder: Path) -> None:
    from config import embedded

    embedded.discard(folder / "engines")


def _run(folder: Path, probes: int, of_each_change: int) -> dict[str, Any]:
    import django

    django.setup()
    from django.core.management import call_command

    from tests.engines import OwnValkey
    from tests.running import Server
    from tests.state.disturbances import World
    from tests.worker import wait_until

    valkey = OwnValkey(folder / "valkey", persistent=True)
    valkey.start()
    call_command("migrate", verbosity=0)
    servers = [Server() for _ in range(3)]
    try:
        for server in servers:
            wait_until(server.answers)
        return _Probing(World(servers, valkey), of_each_change).run(probes)
    finally:
        for server in servers:
            server.stop()
        valkey.kill()


class _Aim:
    """What is probed now, and from when on it must be refused."""

    def __init__(self, request: Any) -> None:
        self.request = request
        self.dead_from: float | None = None
        self.was_let_in: set[int] = set()  # the processes that it was good for before
        self.probes: dict[int, int] = {}
        self.let_in: list[tuple[int, float]] = []  # the process, and how many milliseconds after the answer
        self.unanswered = 0


class Prober(threading.Thread):
    """Asks one process, over and over."""

    def __init__(self, number: int, port: int) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.aim: _Aim | None = None
        self._port = port
        self._connection = self._connect()

    def run(self) -> None:
        while True:
            began = time.monotonic()
            if self.aim is not None:
                self._probe(self.aim)
            time.sleep(max(0.0, EVERY_SECONDS - (time.monotonic() - began)))

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_SECONDS)

    def _probe(self, aim: _Aim) -> None:
        sent_at = time.monotonic()
        counts = self._ask(aim)
        if aim.dead_from is None:
            if counts:
                aim.was_let_in.add(self.number)
        elif sent_at >= aim.dead_from:
            aim.probes[self.number] = aim.probes.get(self.number, 0) + 1
            if counts:
                aim.let_in.append((self.number, round((sent_at - aim.dead_from) * 1000, 1)))

    def _ask(self, aim: _Aim) -> bool:
        request = aim.request
        try:
            self._connection.request(request.method, request.path, request.body or None, request.headers)
            answer = self._connection.getresponse()
            return bool(request.counts(answer.status, answer.read()))
        except (OSError, http.client.HTTPException):
            aim.unanswered += 1
            self._connection.close()
            self._connection = self._connect()
            return False


class _Probing:
    def __init__(self, world: Any, of_each_change: int) -> None:
        self.world = world
        self.of_each_change = of_each_change
        self.clients = [server.client() for server in world.servers]
        self.probers = [Prober(number, server.port) for number, server in enumerate(world.servers)]
        self.counts: dict[str, dict[str, Any]] = {}
        self.let_in: list[tuple[str, str, int, float]] = []
        for prober in self.probers:
            prober.start()

    def run(self, probes: int) -> dict[str, Any]:
        from tests.state.credentials import KINDS
        from tests.state.disturbances import DISTURBANCES

        began = time.monotonic()
        for disturbance in DISTURBANCES:
            done = {"probes": 0, "changes": 0, "unanswered": 0, "seconds_of_a_change": []}
            self.counts[disturbance.__name__] = done
            for kind in itertools.cycle(random.sample(KINDS, len(KINDS))):
                self._change(kind, disturbance, done)
                if done["probes"] >= probes and (
                    done["changes"] >= len(KINDS) or disturbance.__name__ != "undisturbed"
                ):
                    break
            taken = sorted(done.pop("seconds_of_a_change"))
            done["median_ms_of_a_change"] = round(taken[len(taken) // 2] * 1000, 1)
            sys.stderr.write(
                f"{time.monotonic() - began:.0f} s {disturbance.__name__} {done} let in: {len(self.let_in)}\n"
            )
        total = sum(done["probes"] for done in self.counts.values())
        return {
            "probes": total,
            "let_in": self.let_in,
            "seconds": round(time.monotonic() - began),
            "by_disturbance": self.counts,
        }

    def _change(self, kind: Any, disturbance: Any, done: dict[str, Any]) -> None:
        from tests.worker import wait_until

        change = kind(self.clients)
        aim = _Aim(change.request)
        self._aim_at(aim)
        wait_until(lambda: len(aim.was_let_in) == len(self.probers))
        with disturbance(self.world) as hook:
            is_before = bool(random.getrandbits(1)) and disturbance.__name__ in BEFORE_TOO
            if is_before:
                hook()
            began = time.monotonic()
            change.act()
            aim.dead_from = time.monotonic()
            if not is_before:
                hook()
            wait_until(lambda: all(aim.probes.get(each.number, 0) >= self.of_each_change for each in self.probers))
        self._aim_at(None)  # what the next change is made from takes longer than the probes of this one
        done["probes"] += sum(aim.probes.values())
        done["changes"] += 1
        done["unanswered"] += aim.unanswered
        done["seconds_of_a_change"].append(aim.dead_from - began)
        self.let_in += [(kind.__name__, disturbance.__name__, *each) for each in aim.let_in]

    def _aim_at(self, aim: _Aim | None) -> None:
        for prober in self.probers:
            prober.aim = aim


BEFORE_TOO = (
    "listeners_cut",
    "valkey_flushed",
    "a_process_stopped",
)  # the others would keep the change itself from being made

if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
