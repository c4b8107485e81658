"""What an installation's environment looks like, and commands of ours as processes that see nothing else."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess

from config import environment
from tests import warm

CHECKOUT = Path(__file__).resolve().parent.parent.parent
KEY = "gw8gJq3o2y0mE6rQbqk1V7cQy8Zz5k0nB4tXhLw2p9s"  # base64url of 32 bytes
OTHER_KEY = "Zm9yIHRlc3RzIG9ubHksIDMyIGJ5dGVzIGxvbmcuLi4"
GOOD = {
    "SECRET_KEY": "kS8vQ2mZ4xP7nR1tB5wY9cL3dF6gH0jA-qEuIoVbNmXr",
    "MASTER_KEYS": f"k2:{KEY},k1:{OTHER_KEY}",
    "SERVICE_ENCRYPTION_KEY": "83a1f0c2d4e5b6978812734556aabbccddee0f1e2d3c4b5a69788796a5b4c3d2",
    "DATABASE_URL": "postgresql://gatehouse@db.test/gatehouse",
    "REDIS_URL": "redis://valkey.test:6379/0",
    "PUBLIC_URL": "https://auth.gatehouse.test",
    "ALLOWED_HOSTS": "auth.gatehouse.test",
    "EMAIL_URL": "smtp://mail.test:25",
    "DEFAULT_FROM_EMAIL": "no-reply@auth.gatehouse.test",
}
SYSTEM_VARIABLES = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR", "VIRTUAL_ENV")
OF_THE_CODE = ("apps", "locale", "templates", "demo")


def run(variables: Mapping[str, str], *command: str, cwd: Path = CHECKOUT) -> CompletedProcess[str]:
    """A command of ours with nothing in the environment but `variables`."""
    return warm.run(command, environment={**_system(), **variables}, cwd=cwd)


def run_cold(variables: Mapping[str, str], *command: str) -> CompletedProcess[str]:
    """The same, where it matters which libraries it imports by itself."""
    environment = {**_system(), **variables}
    whole = [sys.executable, *command]
    return subprocess.run(whole, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)


def _system() -> dict[str, str]:
    return {name: os.environ[name] for name in SYSTEM_VARIABLES if name in os.environ}


def in_production(variables: Mapping[str, str], *command: str, cwd: Path = CHECKOUT) -> CompletedProcess[str]:
    return run({"DJANGO_SETTINGS_MODULE": environment.PRODUCTION, **variables}, *command, cwd=cwd)


def checkout_in(folder: Path) -> Path:
    """A checkout of one's own, to put a `.env` in: the settings look for it beside themselves."""
    shutil.copy(CHECKOUT / "manage.py", folder)
    shutil.copytree(CHECKOUT / "config", folder / "config")
    for name in OF_THE_CODE:
        (folder / name).symlink_to(CHECKOUT / name)
    return folder


def as_file(variables: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in variables.items())
