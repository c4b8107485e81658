"""Somebody outside who checks identities: a real HTTP server, asked and answering, signed."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest
from django.utils import timezone

from apps.approvals import check_secret, outside_requests, tasks
from apps.approvals.models import IdentityCheck
from apps.core import signatures
from apps.customers.models import Customer
from demo.client import Answer, Client
from tests import factories
from tests.approvals.approving import waiting
from tests.conftest import MakeClient


class Question(NamedTuple):
    """What the checker got, and when (unix time)."""

    signature: str
    body: bytes
    at: float

    @property
    def signed_at(self) -> int:
        return int(self.signature.partition(",")[0].removeprefix("t="))


class Checkers(ThreadingHTTPServer):
    """What it got, and what it will answer: `statuses` in turn, then 202; each when it `may_answer`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.got: list[Question] = []
        self.statuses: list[int] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/checks"


class _Conversation(BaseHTTPRequestHandler):
    server: Checkers

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(Question(self.headers[signatures.HEADER], body, time.time()))
        self.server.may_answer.wait(60)
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 202)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def checker() -> Iterator[Checkers]:
    server = Checkers()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class Asked(NamedTuple):
    """A user who waits for an outside check: the user's client, the check, and the customer's secret."""

    client: Client
    check: IdentityCheck
    key: bytes

    @property
    def customer(self) -> Customer:
        return self.check.customer

    @property
    def status(self) -> str:
        """The user's, as it is now."""
        self.check.refresh_from_db()
        return self.check.user.status

    def says(self, *, approved: bool, late: int = 0) -> Answer:
        """What its checker says, signed so many seconds ago."""
        return answer(self.client, self.check.id, {"approved": approved}, self.key, late=late)


@pytest.fixture
def asked(client_for: MakeClient, checker: Checkers, settings: Any) -> Asked:
    settings.IDENTITY_CHECK_PRIVATE_ADDRESSES = True
    customer, client, check = waiting(client_for, identity_check_url=checker.url)
    return Asked(client, check, secret_of(customer))


def secret_of(customer: Customer) -> bytes:
    """A new one."""
    return check_secret.renew(customer, context=factories.context("system")).encode()


def ask_all() -> int:
    """Do as a worker does with what beat hands over. Returns how many were asked."""
    due = outside_requests.due(now=timezone.now())
    return sum(tasks.ask_identity_check(str(check_id)) for check_id in due)


def answer(client: Client, check_id: object, document: dict[str, object], key: bytes, *, late: int = 0) -> Answer:
    """Answer for a check, signed so many seconds ago. `document` may name another check."""
    body = json.dumps({"check_id": str(check_id), **document}).encode()
    return deliver(client, check_id, body, signatures.sign(body, key=key, now=timezone.now() - timedelta(seconds=late)))


def deliver(client: Client, check_id: object, body: bytes, signature: str) -> Answer:
    return client.call("POST", f"/api/identity-checks/{check_id}", body, headers={signatures.HEADER: signature})
