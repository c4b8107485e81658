"""Installs packages below `.bench/peers/`, each set anew only when its lock has changed."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from config.environment import PROJECT_ROOT

FOLDER = PROJECT_ROOT / ".bench" / "peers"


WITHOUT_PEERS = (
    "The peers are installed from PyPI and npm. Without a network: make bench ARGS='--only ours,bare_drf,bare_view'"
)


class PeerFailed(Exception):
    """One cannot be installed or prepared. Names the command that failed, and what it said."""


@dataclass(frozen=True)
class Installed:
    """What is installed in `folder` by `commands`, run in it one after the other. `files`: what it is made of, the lock first."""

    folder: Path
    files: tuple[Path, ...]
    commands: Sequence[Sequence[str]]

    @property
    def is_current(self) -> bool:
        return self._stamp.exists() and self._stamp.read_text() == self._digest()

    def install(self) -> None:
        """Raises PeerFailed."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        try:
            for command in self.commands:
                run(command, self.folder)
        except PeerFailed as failure:
            raise PeerFailed(f"{failure}\n{WITHOUT_PEERS}") from failure
        self._stamp.write_text(self._digest())

    @property
    def _stamp(self) -> Path:
        return self.folder / "installed"

    def _digest(self) -> str:
        return hashlib.sha256(b"".join(path.read_bytes() for path in self.files)).hexdigest()


def of_python(folder: Path, lock: Path, *options: str) -> Installed:
    """An environment with the packages of this lock, made by uv with our Python."""
    uv = (sys.executable, "-m", "uv", "--quiet")
    from_lock = ("--no-deps", "--require-hashes", "--requirement", str(lock))
    make = (*uv, "venv", "--clear", "--python", sys.executable, ".")
    fill = (*uv, "pip", "install", "--python", str(folder / "bin" / "python"), *from_lock, *options)
    return Installed(folder, (lock,), (make, fill))


def install(missing: Iterable[Installed]) -> None:
    """Side by side. Raises PeerFailed."""
    with ThreadPoolExecutor() as pool:
        for _ in pool.map(Installed.install, missing):
            pass


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> None:
    """Raises PeerFailed if the command fails. None: the environment of this process."""
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise PeerFailed(f"`{' '.join(command)}` failed in {folder}:\n{result.stdout}{result.stderr}")
