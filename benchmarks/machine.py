"""What the figures were measured with and on: programs and their versions, processor, kernel, revision."""

import os
import platform
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks import load
from benchmarks.engines import Engines
from benchmarks.peers import everyone
from config.environment import PROJECT_ROOT

PACKAGES = ("Django", "djangorestframework", "djangorestframework-simplejwt", "granian", "psycopg", "orjson")


class CheckoutChanged(Exception):
    """Another revision was checked out while the benchmarks ran."""


def versions(engines: Engines) -> dict[str, str]:
    return {
        "Python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "PostgreSQL": engines.postgres_version(),
        "Valkey": engines.valkey_version(),
        "wrk": load.wrk_version(),
        "Node": _node(),
        **everyone.versions(),
    }


def facts() -> dict[str, str]:
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "kernel": f"{platform.system()} {platform.release()}",
    }


def revision() -> str:
    """The commit, with a mark if files differ from it."""
    git = shutil.which("git")
    if not git or not (PROJECT_ROOT / ".git").exists():
        return ""
    command = [git, "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False).stdout.strip()


def refuse_another(revision_at_first: str) -> None:
    """Raises CheckoutChanged if another commit is checked out by now: some servers would have been of one, some of the other."""
    if (now := revision()).removesuffix("-dirty") != revision_at_first.removesuffix("-dirty"):
        raise CheckoutChanged(
            f"The run began at revision {revision_at_first}, and ends at {now}: it counts for nothing."
        )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _node() -> str:
    """The one of our environment, else the system's."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    node = shutil.which("node", path=path)
    if not node:
        return ""
    return subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip().lstrip("v")
