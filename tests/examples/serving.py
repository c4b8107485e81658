"""What the examples start from: the service as `make demo` has it, its facts, and each example as a process of its own.

One service for all tests of this folder that a process runs one after the other: they share nothing but the demo's customer,
and each has users of its own.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.core.management import call_command

from apps.customers.models import Customer
from demo.client import Client, over_http
from demo.management.commands import seed_demo
from tests import cleaning, factories, warm
from tests.mail.smtp import MailServer
from tests.ports import free_port
from tests.running import Mailbox, Server
from tests.worker import Worker, wait_until

NODE_FOLDERS = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
EXAMPLES = Path(settings.BASE_DIR) / "docs" / "examples"
PATIENCE = 90  # seconds, as in tests/worker.py


@dataclass(frozen=True)
class Demo:
    """The running service, and the file that `make demo` writes."""

    file: Path
    mailbox: Mailbox
    server: Server

    @property
    def facts(self) -> dict[str, str]:
        facts: dict[str, str] = json.loads(self.file.read_text(encoding="utf-8"))
        return facts

    @property
    def customer(self) -> Customer:
        return Customer.objects.get(id=self.facts["customer_id"])

    def client(self) -> Client:
        """Calls the API for the demo's customer."""
        return Client(
            send=over_http(self.facts["base_url"]),
            api_key=self.facts["api_key"],
            service_key=self.facts["service_encryption_key"],
        )

    def sign_in(self, email: str) -> dict[str, Any]:
        """A user's tokens, by a code in a mail."""
        count = len(self.mailbox.codes(email)) + 1
        assert self.client().request_otp(email).status == 200
        answer = self.client().verify_otp(email, self.mailbox.wait_for_code(email, count=count))
        assert answer.status == 200, answer.document
        return dict(answer.document)

    def allow(self, origin: str) -> None:
        """As the demo lists the origins of the examples, at the ports that their READMEs name."""
        factories.policy(self.customer, allowed_origins=[*self.customer.allowed_origins, origin])
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        with httpx.Client(base_url=self.facts["base_url"], headers=headers, timeout=PATIENCE) as page:
            wait_until(lambda: "Access-Control-Allow-Origin" in page.options("/api/auth/request-otp").headers)


@pytest.fixture(scope="package")
def db(django_db_setup: cleaning.Pristine, django_db_blocker: Any) -> Iterator[None]:
    """pytest-django's fixture, for all tests of this folder together."""
    with django_db_blocker.unblock():
        cleaning.assert_clean(django_db_setup)
        yield
        cleaning.clean(django_db_setup)


@pytest.fixture(scope="package")
def demo(db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with pytest.MonkeyPatch.context() as patch, _served(tmp_path_factory.mktemp("demo"), patch) as served:
        yield served


@contextmanager
def _served(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Demo]:
    mail_server, port = MailServer(), free_port()
    environment = {"PUBLIC_URL": f"http://localhost:{port}", "EMAIL_URL": mail_server.url}
    for name, value in {**environment, "DATA_DIR": folder}.items():
        patch.setattr(settings, name, value, raising=False)
    call_command(seed_demo.Command())
    mail_server.start()
    server, worker = Server(port=port, **environment), Worker(**environment)
    try:
        worker.start()
        wait_until(server.answers)
        yield Demo(folder / "demo.json", Mailbox(mail_server), server)
    finally:
        for process in (server, worker, mail_server):
            process.stop()
        worker.close()


class Example:
    """An example's app as a process of its own, at `url`."""

    def __init__(self, command: Sequence[str], *, folder: Path, port: int, environment: Mapping[str, str]) -> None:
        self.url = f"http://localhost:{port}"
        self._client = httpx.Client(timeout=PATIENCE)  # to make one takes as long as to ask a hundred times
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (as long as the app)
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # npm passes no signal on to what it runs
        )

    def answers(self) -> bool:
        assert self._process.poll() is None, f"the example has ended:\n{self.told()}"
        try:
            return self._client.get(self.url).status_code < 500
        except httpx.TransportError:
            return False

    def told(self) -> str:
        """What it has logged."""
        return warm.written(self._log)

    def stop(self) -> None:
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(self._process.pid, signal.SIGKILL)  # it keeps nothing that would be missed
        self._process.wait()
        self._client.close()
        sys.stdout.write(self.told())  # pytest shows it if the test has failed
        self._log.close()


@pytest.fixture
def run_example(demo: Demo) -> Iterator[Callable[..., Example]]:
    """`run_example("fastapi", [sys.executable, …, "{port}"])` starts it and waits until it answers.

    It runs in its own folder, or in the copy of it that is given.
    """
    examples: list[Example] = []

    def run(name: str, command: Sequence[str], *, folder: Path | None = None) -> Example:
        port = free_port()
        environment = {"GATEHOUSE_DEMO": str(demo.file), "PORT": str(port), "PATH": NODE_FOLDERS}
        command = [part.format(port=port) for part in command]
        examples.append(Example(command, folder=folder or EXAMPLES / name, port=port, environment=environment))
        wait_until(examples[-1].answers)
        return examples[-1]

    yield run
    for example in examples:
        example.stop()
