"""The peers, in the order of the table."""

from concurrent.futures import ThreadPoolExecutor

from benchmarks.bench import Bench
from benchmarks.peers import installing
from benchmarks.peers.allauth.peer import Allauth
from benchmarks.peers.better_auth.peer import BetterAuth
from benchmarks.peers.dj_rest_auth.peer import DjRestAuth
from benchmarks.peers.drfpasswordless.peer import Drfpasswordless
from benchmarks.peers.fastapi_users.peer import FastapiUsers
from benchmarks.peers.peer import Peer

PEERS: tuple[type[Peer], ...] = (Drfpasswordless, Allauth, DjRestAuth, FastapiUsers, BetterAuth)


def ready(bench: Bench) -> list[Peer]:
    """All that are wanted, installed and with their users, side by side: before anything is measured."""
    wanted = [kind for kind in PEERS if bench.wants(kind.name)]
    missing = {kind.name: kind.installed() for kind in wanted if not kind.installed().is_current}
    if missing:
        bench.say(f"  installing {', '.join(missing)} …")
        installing.install(missing.values())
    peers = [bench.subject(kind) for kind in wanted]
    if not all("prepared" in vars(peer) for peer in peers):
        bench.say("  making the peers' users …")
        _prepare(peers)
    return peers


def _prepare(peers: list[Peer]) -> None:
    for peer in peers:
        _ = peer.database_url  # by the one connection of the engines
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda peer: peer.prepared, peers))


def versions() -> dict[str, str]:
    return {peer.package: peer.version() for peer in PEERS}
