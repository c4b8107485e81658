"""Sets Gatehouse up, starts it, performs two journeys, and serves until Ctrl-C (ONCE=1: ends after them)."""

import json
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

from config import embedded
from config.environment import DEVELOPMENT, ENGINES, PROJECT_ROOT
from demo import journeys, screen
from demo.apps import RUNNING
from demo.processes import Processes, ProcessFailed, run

HOST = "127.0.0.1"
READY_WITHIN_SECONDS = 120  # on a small, busy machine; a process that cannot start is reported at once


class DemoFailed(Exception):
    """The demo cannot go on. The message says what is wrong and what to do."""


def main() -> int:
    signal.signal(signal.SIGTERM, _as_interrupt)
    data_dir = Path(os.environ.get("GATEHOUSE_DATA_DIR") or PROJECT_ROOT / ".data")
    try:
        port = _chosen_port()
        _refuse_an_installation()
        # A port that is only free now may be taken by the time the mailbox starts.
        with socket.create_server((HOST, 0)) as door:
            return _demonstrate(data_dir=data_dir, port=port, door=door, once=_wants_once())
    except (DemoFailed, ProcessFailed, embedded.EmbeddedEngineError, journeys.StepFailed) as error:
        screen.failure(str(error))
        return 1
    except KeyboardInterrupt:
        screen.line("Stopped.")
        return 130


def _demonstrate(*, data_dir: Path, port: int, door: socket.socket, once: bool) -> int:
    """`door`: where the mailbox is to listen."""
    data_dir.mkdir(parents=True, exist_ok=True)
    environment = _environment(data_dir=data_dir, port=port, smtp_port=door.getsockname()[1])
    screen.title("Gatehouse demo")
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        with screen.progress("Starting PostgreSQL and Valkey"):
            embedded.ensure(data_dir)
    with screen.progress("Bringing the database up to date"):
        run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], environment=environment)
    with screen.progress("Making a demo customer, an API key and an operator"):
        run([sys.executable, "manage.py", "seed_demo"], environment=environment)
    facts = json.loads((data_dir / "demo.json").read_text(encoding="utf-8"))
    with Processes(log_dir=data_dir / "logs", environment=environment) as processes:
        with screen.progress("Starting web (granian), worker and beat (Celery) and a mailbox (aiosmtpd)"):
            _start(processes, port=port, door=door, mailbox=Path(facts["mailbox"]), data_dir=data_dir)
            processes.wait_until_ready(f"http://{HOST}:{port}/readyz", within_seconds=READY_WITHIN_SECONDS)
        journeys.perform(facts)
        if once:
            return 0
        screen.facts(facts)
        processes.watch()
    return 0


def _start(processes: Processes, *, port: int, door: socket.socket, mailbox: Path, data_dir: Path) -> None:
    python = sys.executable
    mailbox.parent.mkdir(parents=True, exist_ok=True)
    processes.start("mailbox", [python, "-m", "demo.smtp_server", str(door.fileno()), str(mailbox)], door)
    processes.start(
        "web",
        [
            *(python, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port), "--workers", "1"),
            *("--blocking-threads", "8", "--no-ws", "config.wsgi:application"),
        ],
    )
    celery = [python, "-m", "celery", "--app", "config.celery"]
    processes.start("worker", [*celery, "worker", "--concurrency", "2", "--loglevel", "INFO", "--without-mingle"])
    schedule = str(data_dir / "celerybeat-schedule")
    processes.start("beat", [*celery, "beat", "--loglevel", "INFO", "--schedule", schedule, "--pidfile="])


def _environment(*, data_dir: Path, port: int, smtp_port: int) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": DEVELOPMENT,
        "GATEHOUSE_DATA_DIR": str(data_dir),
        "PORT": str(port),
        RUNNING: "1",
        "EMAIL_URL": f"smtp://{HOST}:{smtp_port}",
        "PYTHONUNBUFFERED": "1",
    }


def _refuse_an_installation() -> None:
    """The demo migrates its database and adds an operator. It must not do so to an installation that the shell's variables name."""
    named = [name for name in ENGINES if os.environ.get(name)]
    if named and os.environ.get("DJANGO_SETTINGS_MODULE") != DEVELOPMENT:
        raise DemoFailed(
            f"{' and '.join(named)} may lead to an installation, and the demo would write there. Unset it; or, if it is for "
            f"development, say so: DJANGO_SETTINGS_MODULE={DEVELOPMENT} make demo"
        )


def _wants_once() -> bool:
    return os.environ.get("ONCE", "") not in ("", "0")


def _chosen_port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65_536:
        raise DemoFailed(f"PORT is {text!r}, which is not a port number. Try: make demo PORT=8001")
    port = int(text)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise DemoFailed(
                f"Port {port} cannot be used ({error.strerror}). Try: make demo PORT={port + 1}"
            ) from error
    return port


def _as_interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
