"""The running service, for what a browser shows: granian, a Celery worker and a mailbox, on this test's engines.

    def test_…(running: Running) -> None:
        with browser.page() as page:
            page.goto(f"{running.url}/sign-in/…")
            code = running.mailbox.wait_for_code("ada@example.com")

Each test that asks for the fixture has processes of its own, so that they remember nothing from the test before. They start
in a few seconds: show several promises in one test. Django's test client is quicker where both would show the same.
"""

import re
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from demo.client import Client, over_http
from tests import warm
from tests.mail.smtp import Letter, MailServer
from tests.ports import free_port
from tests.worker import Worker, environment_of_process, wait_until

CODE = re.compile(r"#(\w+)\s*$")  # the last line of a mail with a code: "@example.com #123456"
CONTENT_TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript", "mjs": "text/javascript"}


class Server:
    """granian, serving this test's database. `environment`: what shall differ from the test's."""

    def __init__(self, *, port: int | None = None, **environment: str) -> None:
        self.port = port or free_port()
        options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1", "--no-ws"]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (as long as the server)
        self.process = warm.Process(
            ["-m", "granian", *options, "config.wsgi:application"],
            environment=environment_of_process(**environment),
            output=self._log,
            start_new_session=True,
        )

    def client(self, **options: Any) -> Client:
        return Client(send=over_http(f"http://127.0.0.1:{self.port}"), **options)

    def answers(self) -> bool:
        assert self.process.poll() is None, f"the server has ended:\n{self.told()}"
        try:
            return self.client().call("GET", "/healthz").status == 200
        except OSError:
            return False

    def told(self) -> str:
        """What it has logged."""
        return warm.written(self._log)

    def stop(self) -> None:
        self.process.end(within=15)
        sys.stdout.write(self.told())  # pytest shows it if the test has failed
        self._log.close()


class Mailbox:
    """Everybody's mail, as a real SMTP server has received it. `server` can be told to refuse or to hang."""

    def __init__(self, server: MailServer) -> None:
        self.server = server

    def to(self, address: str) -> list[Letter]:
        """The mails to this address, oldest first."""
        return [letter for letter in self.server.letters if address in letter.recipients]

    def wait_for(self, address: str, text: str) -> None:
        """Until there is a mail to this address with this text. Which mail comes first, nobody can say."""
        wait_until(lambda: any(text in letter.part("plain") for letter in self.to(address)))

    def codes(self, address: str) -> list[str]:
        """Those in the mails to this address, oldest first. Other mails, a notice of a new device say, may come in between."""
        found = (CODE.search(letter.part("plain")) for letter in self.to(address))
        return [each[1] for each in found if each]

    def wait_for_code(self, address: str, *, count: int = 1) -> str:
        """The newest code to this address, as soon as it has had so many."""
        wait_until(lambda: len(self.codes(address)) >= count)
        return self.codes(address)[-1]


@dataclass(frozen=True)
class Running:
    """The service at `url`, which is its PUBLIC_URL, in this process too."""

    url: str
    server: Server
    mailbox: Mailbox


@pytest.fixture
def make_running(
    make_mail_server: Callable[..., MailServer], make_worker: Callable[..., Worker], settings: Any
) -> Iterator[Callable[..., Running]]:
    """`make_running(NAME="value")` starts it with settings of its own from the environment. One for a test.

    "{url}" in a value is where it will be. With `mails=False` nothing that is queued goes out: there is no worker.
    """
    servers: list[Server] = []

    def make(*, mails: bool = True, **environment: str) -> Running:
        mail_server, port = make_mail_server(), free_port()
        settings.PUBLIC_URL, settings.EMAIL_URL = f"http://localhost:{port}", mail_server.url
        own = {name: value.replace("{url}", settings.PUBLIC_URL) for name, value in environment.items()}
        environment = {"PUBLIC_URL": settings.PUBLIC_URL, "EMAIL_URL": mail_server.url, **own}
        servers.append(server := Server(port=port, **environment))
        if mails:
            make_worker(**environment)  # starts meanwhile; a mail waits for it
        wait_until(server.answers)
        return Running(settings.PUBLIC_URL, server, Mailbox(mail_server))

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def running(make_running: Callable[..., Running]) -> Running:
    return make_running()


@pytest.fixture
def running_without_mails(make_running: Callable[..., Running]) -> Running:
    """To start a worker costs as much as to start a server."""
    return make_running(mails=False)


@contextmanager
def app(pages: Mapping[str, str], *, headers: Mapping[str, str] | None = None) -> Iterator[str]:
    """Somebody's app at an origin of its own, which it yields: `pages` by path, such as "/index.html"."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            content = pages.get(path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Type", CONTENT_TYPES.get(path.rpartition(".")[2], CONTENT_TYPES["html"]))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write((content or "").encode())

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
