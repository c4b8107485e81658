"""`make demo ONCE=1`: the whole service on this machine, and the journey of a user (README)."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
ENGINES = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "MASTER_KEYS", "SERVICE_ENCRYPTION_KEY", "DJANGO_SETTINGS_MODULE"}


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gatehouse-demo-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        subprocess.run([sys.executable, "-m", "config.embedded", "stop", folder], cwd=ROOT, check=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def demo(data_dir: Path, port: int) -> subprocess.CompletedProcess[str]:
    """As `make demo ONCE=1 PORT=…` runs it, without this test run's own engines."""
    environment = {name: value for name, value in os.environ.items() if name not in ENGINES}
    environment |= {"GATEHOUSE_DATA_DIR": str(data_dir), "PORT": str(port), "ONCE": "1"}
    return subprocess.run(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_demo_performs_the_journey_and_says_where_everything_is(data_dir: Path) -> None:
    port = free_port()
    result = demo(data_dir, port)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Every step was as it should be." in result.stdout
    facts = json.loads((data_dir / "demo.json").read_text())
    assert facts["base_url"] == f"http://127.0.0.1:{port}"
    names = "base_url admin_url admin_email admin_password api_key customer_id service_encryption_key mailbox"
    assert set(facts) == set(names.split())
    assert (Path(facts["mailbox"]) / "new").is_dir()
    assert (data_dir / "demo.json").stat().st_mode & 0o077 == 0
    logs = "".join(path.read_text() for path in (data_dir / "logs").glob("*.log"))
    assert facts["api_key"] not in logs
    assert "eyJ" not in logs  # no token, no envelope
    again = demo(data_dir, port)
    assert again.returncode == 0, again.stdout + again.stderr
    assert json.loads((data_dir / "demo.json").read_text())["api_key"] == facts["api_key"]


def test_a_taken_port_is_said_clearly(data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = demo(data_dir, port)
    assert result.returncode == 1
    assert f"Port {port} cannot be used" in result.stderr
    assert f"PORT={port + 1}" in result.stderr


def test_a_port_that_is_none_is_said_clearly(data_dir: Path) -> None:
    environment = {**os.environ, "PORT": "http", "ONCE": "1", "GATEHOUSE_DATA_DIR": str(data_dir)}
    result = subprocess.run(
        [sys.executable, "-m", "demo"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (result.returncode, "not a port number" in result.stderr) == (1, True)
