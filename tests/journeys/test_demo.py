"""`make demo ONCE=1`: the whole service on this machine, and the journey of a user (README)."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo import journeys
from tests.ports import free_port
from tests.worker import wait_until

pytestmark = pytest.mark.lengthy
ROOT = Path(__file__).resolve().parent.parent.parent
ENGINES = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "MASTER_KEYS", "SERVICE_ENCRYPTION_KEY", "DJANGO_SETTINGS_MODULE"}
COMMAND = [sys.executable, "-m", "demo"]
START_WITHIN_SECONDS = 240  # beside the other tests, on two slow cores


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gatehouse-demo-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        subprocess.run([sys.executable, "-m", "config.embedded", "stop", folder], cwd=ROOT, check=False)


def environment(data_dir: Path, port: int, **different: str) -> dict[str, str]:
    """As `make demo PORT=…` has it, without this test run's own engines."""
    inherited = {name: value for name, value in os.environ.items() if name not in ENGINES}
    return {**inherited, "GATEHOUSE_DATA_DIR": str(data_dir), "PORT": str(port), **different}


def demo(data_dir: Path, port: int) -> subprocess.CompletedProcess[str]:
    """`make demo ONCE=1 PORT=…`"""
    return subprocess.run(
        COMMAND,
        cwd=ROOT,
        env=environment(data_dir, port, ONCE="1"),
        capture_output=True,
        text=True,
        check=False,
        timeout=START_WITHIN_SECONDS,
    )


def hear_interrupts() -> None:
    """As in a terminal: tests that run in a shell's background ignore Ctrl-C, and what they start would, too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def served(data_dir: Path, port: int) -> Iterator[Path]:
    """`make demo PORT=…`, serving; gives the file of what it prints. Ctrl-C ends it."""
    output = data_dir / "output"
    with output.open("w") as file:
        process = subprocess.Popen(
            COMMAND,
            cwd=ROOT,
            env=environment(data_dir, port),
            stdout=file,
            stderr=file,
            preexec_fn=hear_interrupts,
        )
    try:
        wait_until(lambda: "Ctrl-C" in output.read_text() or process.poll() is not None, within=START_WITHIN_SECONDS)
        assert process.poll() is None, output.read_text()
        yield output
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    finally:
        process.kill()
        process.wait()


def test_the_demo_performs_the_journeys_and_says_where_everything_is(data_dir: Path) -> None:
    port = free_port()
    result = demo(data_dir, port)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Every step was as it should be." in result.stdout
    facts = json.loads((data_dir / "demo.json").read_text())
    assert facts["base_url"] == f"http://localhost:{port}"
    names = "base_url admin_url admin_email admin_password api_key customer_id service_encryption_key mailbox"
    for_examples = "slug issuer sign_in_url account_url introspection_key"
    for_apps = "oauth_public_client_id oauth_client_id oauth_client_secret"
    assert set(facts) == set(f"{names} {for_examples} {for_apps}".split())
    assert (Path(facts["mailbox"]) / "new").is_dir()
    assert (data_dir / "demo.json").stat().st_mode & 0o077 == 0
    logs = "".join(path.read_text() for path in (data_dir / "logs").glob("*.log"))
    assert facts["api_key"] not in logs
    assert "eyJ" not in logs  # no token, no envelope
    _starts_again_and_goes_on_however_often(data_dir, port, api_key=facts["api_key"])


def _starts_again_and_goes_on_however_often(data_dir: Path, port: int, *, api_key: str) -> None:
    """Four times in all, with more tries than one network has in a quarter of an hour. The API key stays."""
    with served(data_dir, port) as output:
        facts = json.loads((data_dir / "demo.json").read_text())
        for _ in range(2):
            journeys.perform(facts)
    assert facts["api_key"] == api_key
    assert output.read_text().rstrip().endswith("Stopped.")


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
    wrong = {**os.environ, "PORT": "http", "ONCE": "1", "GATEHOUSE_DATA_DIR": str(data_dir)}
    result = subprocess.run(COMMAND, cwd=ROOT, env=wrong, capture_output=True, text=True, check=False)
    assert (result.returncode, "not a port number" in result.stderr) == (1, True)
