"""The peers, in the order of the table."""

from benchmarks.bench import Bench
from benchmarks.peers import installing
from benchmarks.peers.allauth.peer import Allauth
from benchmarks.peers.better_auth.peer import BetterAuth
from benchmarks.peers.dj_rest_auth.peer import DjRestAuth
from benchmarks.peers.drfpasswordless.peer import Drfpasswordless
from benchmarks.peers.fastapi_users.peer import FastapiUsers
from benchmarks.peers.peer import Peer

PEERS: tuple[type[Peer], ...] = (Drfpasswordless, Allauth, DjRestAuth, FastapiUsers, BetterAuth)


def install(bench: Bench) -> None:
    """All that are wanted, side by side: before anything is measured."""
    wanted = {peer: peer.installed() for peer in PEERS if bench.wants(peer.name)}
    missing = {peer.name: one for peer, one in wanted.items() if not one.is_current}
    if missing:
        bench.say(f"installing {', '.join(missing)} …")
        installing.install(missing.values())


def versions() -> dict[str, str]:
    return {peer.package: peer.version() for peer in PEERS}
