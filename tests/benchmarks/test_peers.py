"""The benchmarks' peers, without installing or starting any: a bench that measures errors, or something else tomorrow, is worthless."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import load
from benchmarks.bench import Bench
from benchmarks.engines import Engines
from benchmarks.peers import everyone
from benchmarks.peers.better_auth.peer import cookie
from benchmarks.peers.everyone import PEERS
from benchmarks.peers.fastapi_users.peer import signed
from benchmarks.peers.installing import Installed, PeerFailed, install
from benchmarks.peers.peer import SOURCES, Peer
from benchmarks.subject import NotKept

PYTHON = [peer for peer in PEERS if (peer.source() / "requirements.txt").exists()]
TAKEN = 3


@pytest.fixture(params=PEERS, ids=lambda peer: peer.name)
def kind(request: pytest.FixtureRequest) -> type[Peer]:
    peer: type[Peer] = request.param
    return peer


def test_every_peer_that_is_kept_is_measured() -> None:
    kept = {folder.parent.name for folder in SOURCES.glob("*/peer.py")}
    assert kept == {peer.name for peer in PEERS}
    assert len(PEERS) == len(kept) == 5


def test_a_peer_says_all_that_the_bench_asks(kind: type[Peer]) -> None:
    assert not kind.__abstractmethods__
    assert {"name", "title"} <= {name for one in kind.__mro__ for name in vars(one)}
    assert re.fullmatch(r"[a-z_]+", kind.name)


def test_the_table_says_which_version_of_each_peer_was_measured() -> None:
    versions = everyone.versions()
    assert set(versions) == {"drfpasswordless", "django-allauth", "dj-rest-auth", "fastapi-users", "better-auth"}
    for name, version in versions.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name


@pytest.mark.parametrize("peer", PYTHON, ids=lambda peer: peer.name)
def test_a_lock_of_python_names_every_package_with_its_version_and_hashes(peer: type[Peer]) -> None:
    entries = list(locked(peer.source() / "requirements.txt"))
    assert len(entries) > TAKEN
    for entry in entries:
        assert re.match(r"[a-z0-9_.-]+==[\w.]+ ", entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("peer", PYTHON, ids=lambda peer: peer.name)
def test_a_lock_of_python_holds_what_was_asked_for_and_the_server(peer: type[Peer]) -> None:
    asked = re.findall(r"^([a-z0-9-]+)", (peer.source() / "requirements.in").read_text(), re.MULTILINE)
    names = {entry.partition("==")[0] for entry in locked(peer.source() / "requirements.txt")}
    assert {"granian", *asked} <= names


def test_a_lock_of_node_names_every_package_with_its_hash_and_no_address() -> None:
    (node,) = set(PEERS) - set(PYTHON)
    lock = json.loads((node.source() / "package-lock.json").read_text())
    wanted = json.loads((node.source() / "package.json").read_text())["dependencies"]
    packages = {path: package for path, package in lock["packages"].items() if path}
    assert {f"node_modules/{name}" for name in wanted} <= set(packages)
    for path, package in packages.items():
        assert package["integrity"].startswith("sha512-"), path
        assert "resolved" not in package, path


def test_every_python_peer_is_served_by_the_granian_that_serves_us() -> None:
    ours = pinned(SOURCES.parent.parent / "requirements" / "base.txt", "granian")
    assert {peer.name: pinned(peer.source() / "requirements.txt", "granian") for peer in PYTHON} == {
        peer.name: ours for peer in PYTHON
    }


def test_a_peer_is_installed_from_its_lock_into_a_folder_that_git_ignores(kind: type[Peer]) -> None:
    installed = kind.installed()
    assert ".bench" in installed.folder.parts
    assert ".bench/" in (SOURCES.parent.parent / ".gitignore").read_text().splitlines()
    assert installed.files[0].name in {"requirements.txt", "package-lock.json"}
    commands = [" ".join(command) for command in installed.commands]
    assert any("--require-hashes" in command or "npm-cli.js ci" in command for command in commands)


def test_what_is_installed_stays_until_its_lock_changes(tmp_path: Path) -> None:
    lock, made = tmp_path / "lock", tmp_path / "made"
    lock.write_text("one")
    one = Installed(made, (lock,), [("touch", "package")])
    assert not one.is_current
    install([one])
    assert one.is_current
    assert (made / "package").exists()
    lock.write_text("two")
    assert not one.is_current


def test_what_cannot_be_installed_says_why_and_is_tried_again(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("one")
    one = Installed(tmp_path / "made", (lock,), [("sh", "-c", "echo no such package; exit 1")])
    with pytest.raises(PeerFailed, match=r"(?s)no such package.*Without a network"):
        install([one])
    assert not one.is_current


def test_a_peer_is_set_up_once_for_all_jobs(tmp_path: Path) -> None:
    """Its users take longer to make than it takes to measure it."""
    bench = Bench(Elsewhere(tmp_path), rounds=1, seconds=1, calls=1)
    assert {bench.subject(kind) for kind in PEERS} == {bench.subject(kind) for kind in PEERS}


class Elsewhere(Engines):
    """No engines at all: what makes requests needs none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder


def test_a_count_that_the_database_does_not_confirm_ends_the_bench(kind: type[Peer], tmp_path: Path) -> None:
    peer = kind(Elsewhere(tmp_path))
    peer.expect(3, 3, "users have signed in")
    with pytest.raises(NotKept, match="2 users have signed in, not 3"):
        peer.expect(3, 2, "users have signed in")


def test_each_user_is_asked_for_once(tmp_path: Path) -> None:
    for kind in PEERS:
        first, *_ = kind(Elsewhere(tmp_path)).phases()
        if first.name.endswith(" out"):
            asked = [b"".join(load.read(first.prepare(2, None).path)) for _ in range(2)]
            assert b"user0@example.com" in asked[0]
            assert b"user2@example.com" in asked[1]
            assert b"user1@example.com" not in asked[1]


def test_more_users_than_there_are_are_refused(tmp_path: Path) -> None:
    (peer,) = [kind for kind in PEERS if kind.name == "drfpasswordless"]
    ask, _ = peer(Elsewhere(tmp_path)).phases()
    with pytest.raises(NotKept):
        ask.prepare(1_000_000, None)


def test_requests_of_json_say_so_and_how_long_they_are(tmp_path: Path) -> None:
    (kind,) = [kind for kind in PEERS if kind.name == "better_auth"]
    head, _, body = kind(Elsewhere(tmp_path)).asking("ann@example.com").partition(b"\r\n\r\n")
    assert json.loads(body) == {"email": "ann@example.com", "type": "sign-in"}
    assert b"Content-Type: application/json" in head
    assert f"Content-Length: {len(body)}".encode() in head


def test_tokens_that_are_made_here_have_the_form_that_the_peers_give_out() -> None:
    assert re.fullmatch(r"better-auth\.session_token=token\.[\w%]+", cookie("token"))
    assert signed({"sub": "1"}).count(".") == 2


def locked(path: Path) -> Iterator[str]:
    """Each entry of a lock, on one line."""
    for entry in path.read_text().replace("\\\n", " ").splitlines():
        if entry.strip() and not entry.lstrip().startswith("#"):
            yield re.sub(r"\s+", " ", entry)


def pinned(path: Path, name: str) -> str:
    (version,) = [entry.split()[0] for entry in locked(path) if entry.startswith(f"{name}==")]
    return version
