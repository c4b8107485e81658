"""A fresh clone installs what its locks say, whatever pip came with Python (Makefile, requirements/install.py)."""

import ensurepip
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
FROM_LOCK = ("--no-deps", "--require-hashes", "--requirement")
WHOLE = ("aiosmtpd", "atpublic", "attrs")
OLDEST_PIP = {11: "22.3", 12: "23.2.1", 13: "24.2"}.get(sys.version_info.minor, "25.2")


class Environment:
    """A virtual environment with the pip that this Python brings, or with that of a lock. uv puts it there in a tenth of the CPU."""

    def __init__(self, folder: Path, *, pip: Path | None = None) -> None:
        self.python = folder / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        wanted = (*FROM_LOCK, pip) if pip else (f"pip=={ensurepip.version()}",)
        uv("install", "--python", self.python, *wanted)

    def run(self, *arguments: str | Path, **different: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **different}
        environment.pop("PYTHONPATH", None)
        return subprocess.run([self.python, *arguments], capture_output=True, text=True, check=False, env=environment)

    def install(self, lock: Path, **different: str) -> subprocess.CompletedProcess[str]:
        return self.run(REQUIREMENTS / "install.py", lock, **different)

    def pip(self, *arguments: str | Path, **different: str) -> str:
        done = self.run("-m", "pip", "--disable-pip-version-check", *arguments, **different)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("installed") / "venv")


def lock_of(path: Path, packages: Sequence[str]) -> Path:
    """A lock that has these packages alone, as test.txt has them."""
    text = (REQUIREMENTS / "test.txt").read_text(encoding="utf-8")
    path.write_text("".join(re.findall(rf"^(?:{'|'.join(packages)})==.*\n(?:    .*\n)*", text, re.MULTILINE)))
    return path


@pytest.mark.lengthy
def test_the_oldest_pip_installs_whole_what_a_demonstration_needs(tmp_path: Path) -> None:
    """Production's packages, and what `make demo` adds. `make test` has the same installer, and takes minutes by that pip.

    It finds a few by the index, and all others by one that has the releases of the locks alone: reading all releases of each would
    take four fifths of the time.
    """
    environment = Environment(tmp_path / "venv", pip=REQUIREMENTS / "oldest-pip.txt")
    assert environment.pip("--version").startswith(f"pip {OLDEST_PIP} ")
    environment.pip("install", "--quiet", "--no-compile", *FROM_LOCK, lock_of(tmp_path / "few.txt", WHOLE))
    of_releases = {"PIP_EXTRA_INDEX_URL": index_of_releases(tmp_path, REQUIREMENTS / "development.txt")}
    only_them = ("--index-url", of_releases["PIP_EXTRA_INDEX_URL"])
    for lock in ("base", "development"):
        locked = (*FROM_LOCK, REQUIREMENTS / f"{lock}.txt")
        environment.pip("install", "--quiet", "--no-compile", *only_them, *locked, **of_releases)
        assert environment.pip("check") == "No broken requirements found.\n", lock


def index_of_releases(folder: Path, lock: Path) -> str:
    """An index of these packages that has no other releases: a page for each, as on one page pip looks at all for each."""
    found = folder / "pylock.toml"
    uv("compile", "--no-deps", "--universal", "--output-file", found, lock)
    for package in tomllib.loads(found.read_text(encoding="utf-8"))["packages"]:
        wheels = package.get("wheels", [])
        links = (f'<a href="{wheel["url"]}#sha256={wheel["hashes"]["sha256"]}">a wheel</a>' for wheel in wheels)
        page = folder / "simple" / package["name"] / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text("\n".join(("<!DOCTYPE html>", *links)), encoding="utf-8")
    return (folder / "simple").as_uri()


def uv(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "uv", "--quiet", "pip", *arguments], check=True)


def test_each_lock_holds_the_one_before_it() -> None:
    """So pip installs what is new in it. Every package of every lock has its hashes."""
    base, development, test = (entries(REQUIREMENTS / f"{lock}.txt") for lock in ("base", "development", "test"))
    assert base < development < test
    assert all("--hash=sha256:" in entry for entry in test)


def entries(lock: Path) -> set[str]:
    """A lock's packages, each with its hashes and without the comments that say who needs it."""
    found = re.findall(r"^[\w.\-\[\],]+==.*\n(?:    --.*\n)*", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return {entry.rstrip() for entry in found}


def test_a_lock_that_lacks_a_package_is_refused_by_name(environment: Environment, tmp_path: Path) -> None:
    done = environment.install(lock_of(tmp_path / "lock.txt", WHOLE[:2]))
    assert done.returncode == 1
    assert "attrs" in done.stdout
    done = environment.install(lock_of(tmp_path / "lock.txt", WHOLE))
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("Installing 3 packages")
    assert done.stdout.count("…") >= 3, "each step is named before it is taken"


def test_where_uv_reaches_no_index_pip_installs_even_where_the_host_sets_pip_user(
    environment: Environment, tmp_path: Path
) -> None:
    environment.pip("uninstall", "--yes", *WHOLE)
    away = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9", "UV_NO_CACHE": "1", "UV_HTTP_RETRIES": "0"}
    done = environment.install(lock_of(tmp_path / "lock.txt", WHOLE), **away, PIP_USER="1")
    assert done.returncode == 0, done.stdout
    assert "Installing by pip" in done.stdout
    assert environment.run("-c", "import aiosmtpd.smtp").returncode == 0


def test_what_has_another_hash_is_not_installed(environment: Environment, tmp_path: Path) -> None:
    environment.pip("uninstall", "--yes", *WHOLE)
    lock = lock_of(tmp_path / "lock.txt", WHOLE)
    lock.write_text(re.sub(r"(attrs==.*\n(?:    --hash=.*\n)*)", forged, lock.read_text()))
    done = environment.install(lock)
    assert done.returncode == 1
    assert environment.run("-c", "import attrs").returncode == 1


def planned(folder: Path, goal: str = "demo") -> str:
    """What `make` would do with the environment in this folder."""
    command = ["make", "--dry-run", "--no-print-directory", f"VENV={folder}", goal]
    return subprocess.run(command, cwd=REQUIREMENTS.parent, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """An environment in which everything has been installed, to look at."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    for stamp in (".development", ".test"):
        (tmp_path / stamp).touch()
    return tmp_path


def test_what_is_installed_is_not_installed_again(installed: Path) -> None:
    assert "install.py" not in planned(installed)


def test_a_lock_that_has_changed_is_installed(installed: Path) -> None:
    os.utime(installed / ".development", (0, 0))
    assert "install.py requirements/development.txt" in planned(installed)


def test_an_environment_whose_python_has_gone_is_made_anew_with_all_that_was_in_it(installed: Path) -> None:
    (installed / "bin" / "python").unlink()
    (installed / "bin" / "python").symlink_to("/nowhere/python")
    plan = planned(installed)
    assert "-m venv" in plan
    assert "install.py requirements/development.txt" in plan


def forged(entry: re.Match[str]) -> str:
    return re.sub(r"sha256:\w{8}", "sha256:00000000", entry.group())
