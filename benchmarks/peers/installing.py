"""Installs the peers' packages below `.bench/peers/`, each anew only when its lock has changed."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from config.environment import PROJECT_ROOT

FOLDER = PROJECT_ROOT / ".bench" / "peers"


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
        for command in self.commands:
            run(command, self.folder)
        self._stamp.write_text(self._digest())

    @property
    def _stamp(self) -> Path:
        return self.folder / "installed"

    def _digest(self) -> str:
        return hashlib.sha256(b"".join(path.read_bytes() for path in self.files)).hexdigest()


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
