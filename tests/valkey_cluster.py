"""A Valkey cluster of a test's own: six processes, three of which have the slots and three of which copy one of those each."""

import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from config.embedded import engine, places
from tests.ports import free_port

SLOTS = 16_384
PRIMARIES = 3
WITHIN_SECONDS = 60
PATIENT_MS = WITHIN_SECONDS * 1000  # a node that is only slow keeps its slots, however busy the machine is
FAILS_OVER_AFTER_MS = 1000


class Node:
    """One process."""

    def __init__(self, folder: Path) -> None:
        self.port, self.bus_port = free_port(), free_port()
        self.folder = folder
        self.folder.mkdir()
        self.client = redis.Redis("127.0.0.1", self.port, decode_responses=True, socket_timeout=2 * WITHIN_SECONDS)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        settings = {
            "port": self.port,
            "cluster-port": self.bus_port,
            "cluster-enabled": "yes",
            "cluster-node-timeout": PATIENT_MS,
            "cluster-replica-validity-factor": 0,  # a replica takes over, however long ago it heard from its primary
            "dir": self.folder,
            "save": "",
            "repl-diskless-sync-delay": 0,
            "repl-ping-replica-period": 1,
        }
        options = [str(part) for name, value in settings.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen(
            [places.binaries()[1], *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=engine.end_with_parent(signal.SIGKILL),
        )

    def lives(self) -> bool:
        return self._process is not None

    def answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:
            return False

    def id(self) -> str:
        return str(self.client.execute_command("CLUSTER MYID"))

    def knows(self, **facts: object) -> bool:
        """Whether these are among its facts about the cluster."""
        known = self.client.execute_command("CLUSTER INFO")
        return all(known[f"cluster_{name}"] == str(value) for name, value in facts.items())

    def owners(self) -> list[tuple[int, int, int]]:
        """First slot, last slot, and the port of their primary, as this node has heard."""
        rows = self.client.execute_command("CLUSTER SLOTS")
        return [(int(row[0]), int(row[1]), int(row[2][1])) for row in rows]

    def misses_others_after(self, milliseconds: int) -> None:
        self.client.config_set("cluster-node-timeout", milliseconds)

    def replicates(self) -> bool:
        return self.client.info("replication").get("master_link_status") == "up"

    def is_copied(self, key: str) -> bool:
        """Whether its replica has all that was written here until now, before which nothing may be lost in a crash.

        `key`: of this node. WAIT is about the writes of its own connection, and returns at once where that has made none.
        """
        self.client.set(f"{key}:copied", "", ex=WITHIN_SECONDS)
        return self.client.execute_command("WAIT", 1, PATIENT_MS) == 1

    @contextmanager
    def held(self) -> Iterator[None]:
        """It gets no time to run, as on a machine that is too busy."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """As a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class ValkeyCluster:
    """`url` and `nodes` are what REDIS_URL and REDIS_CLUSTER_NODES want."""

    def __init__(self, folder: Path) -> None:
        self.nodes = [Node(folder / str(number)) for number in range(2 * PRIMARIES)]

    @property
    def environment(self) -> dict[str, str]:
        """For a process that shall use it."""
        nodes = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return {"REDIS_URL": f"redis://127.0.0.1:{self.nodes[0].port}/0", "REDIS_CLUSTER_NODES": nodes}

    def start(self) -> None:
        for node in self.nodes:
            node.start()
        _wait(lambda: all(node.answers() for node in self.nodes))
        primaries, replicas = self.nodes[:PRIMARIES], self.nodes[PRIMARIES:]
        for number, primary in enumerate(primaries):
            first, after = SLOTS * number // PRIMARIES, SLOTS * (number + 1) // PRIMARIES
            primary.client.execute_command("CLUSTER ADDSLOTSRANGE", first, after - 1)
        for node in self.nodes[1:]:
            node.client.execute_command("CLUSTER MEET", "127.0.0.1", primaries[0].port, primaries[0].bus_port)
        _wait(lambda: all(node.knows(known_nodes=len(self.nodes)) for node in self.nodes))
        for replica, primary in zip(replicas, primaries, strict=True):
            replica.client.execute_command("CLUSTER REPLICATE", primary.id())
        _wait(lambda: all(node.knows(state="ok") for node in self.nodes))
        _wait(lambda: all(replica.replicates() for replica in replicas))

    def primary_of(self, key: str) -> Node:
        """The process that has this key now."""
        living = self._living()[0]
        slot = int(living.client.execute_command("CLUSTER KEYSLOT", key))
        owner = next(port for first, last, port in living.owners() if first <= slot <= last)
        return next(node for node in self.nodes if node.port == owner)

    def sizes(self) -> list[int]:
        """How many keys each living primary has."""
        return [
            int(node.client.dbsize()) for node in self._living() if node.client.info("replication")["role"] == "master"
        ]

    def lose(self, node: Node) -> None:
        """It dies, and its replica takes over soon. Which of the others knows that first, nobody can say: see `heal`."""
        for other in self._living():
            other.misses_others_after(FAILS_OVER_AFTER_MS)
        node.kill()

    def heal(self) -> None:
        """Wait until every living node serves its slots again, and knows which living node has the others."""
        living = self._living()
        ports = {node.port for node in living}
        _wait(
            lambda: all(node.knows(state="ok") and {port for _, _, port in node.owners()} <= ports for node in living)
        )
        for node in living:
            node.misses_others_after(PATIENT_MS)

    def kill(self) -> None:
        for node in self.nodes:
            node.kill()

    def _living(self) -> list[Node]:
        return [node for node in self.nodes if node.lives()]


def _wait(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "the cluster did not come together"
        time.sleep(0.05)


@pytest.fixture
def valkey_cluster() -> Iterator[ValkeyCluster]:
    """A running one."""
    with tempfile.TemporaryDirectory(prefix="gh-cluster-") as folder:
        cluster = ValkeyCluster(Path(folder))
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.kill()
