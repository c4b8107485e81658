"""Users who wait for an identity check outside: asked for and answered, signed."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.utils import timezone

from apps.core import outgoing, signatures
from apps.mail.models import Message
from apps.signin import outside_checks, tasks
from apps.signin.models import IdentityCheck
from demo.client import Answer, Client
from tests import factories
from tests.conftest import MakeClient
from tests.races import at_once
from tests.signin.entering import EMAIL, login
from tests.signin.test_identity_check import waiting

pytestmark = pytest.mark.django_db(transaction=True)


class Checker(BaseHTTPRequestHandler):
    """Somebody who checks identities."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server: Checkers = self.server  # type: ignore[assignment]
        server.got.append((self.headers[signatures.HEADER], body))
        self.send_response(server.statuses.pop(0) if server.statuses else 202)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


class Checkers(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Checker)
        self.got: list[tuple[str, bytes]] = []
        self.statuses: list[int] = []


@pytest.fixture
def checker() -> Iterator[Checkers]:
    server = Checkers()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def asked(client_for: MakeClient, checker: Checkers, settings: object) -> tuple[Client, IdentityCheck, bytes]:
    """A user whose check has been asked for outside; the client, the check, the customer's secret."""
    settings.IDENTITY_CHECK_PRIVATE_ADDRESSES = True  # type: ignore[attr-defined]
    url = f"http://127.0.0.1:{checker.server_address[1]}/checks"
    customer, client, check = waiting(client_for, identity_check_url=url)
    secret = outside_checks.renew_secret(customer, actor="system", caller=None, now=timezone.now())
    return client, check, secret.encode()


def answer(client: Client, check_id: object, document: object, key: bytes, *, late: int = 0) -> Answer:
    body = json.dumps(document).encode()
    signature = signatures.sign(body, key=key, now=timezone.now() - timedelta(seconds=late))
    return client.call("POST", f"/api/identity-checks/{check_id}", body, headers={signatures.HEADER: signature})


def test_the_request_says_who_and_is_signed(asked: tuple[Client, IdentityCheck, bytes], checker: Checkers) -> None:
    _client, check, key = asked
    assert tasks.ask_identity_checks() == 1
    signature, body = checker.got[0]
    assert signatures.is_genuine(signature, body, key=key, now=timezone.now())
    document = json.loads(body)
    assert document["check_id"] == str(check.id)
    assert document["user"]["email"] == EMAIL
    assert document["callback_url"] == f"https://auth.example.test/api/identity-checks/{check.id}"
    assert tasks.ask_identity_checks() == 0, "asked once"
    assert tasks.tell_operators() == 0, "no operator is bothered"


@pytest.mark.parametrize("status", [302, 400, 500])
def test_a_checker_in_trouble_is_asked_again(
    asked: tuple[Client, IdentityCheck, bytes], checker: Checkers, status: int
) -> None:
    _client, check, _key = asked
    checker.statuses = [status]
    assert tasks.ask_identity_checks() == 0
    check.refresh_from_db()
    assert check.asked_at is None
    assert check.next_try_at is not None
    assert check.next_try_at > timezone.now()
    IdentityCheck.objects.update(next_try_at=timezone.now())
    assert tasks.ask_identity_checks() == 1
    assert len(checker.got) == 2


def test_of_many_workers_one_asks(asked: tuple[Client, IdentityCheck, bytes], checker: Checkers) -> None:
    assert sum(at_once(6, lambda _: tasks.ask_identity_checks())) == 1
    assert len(checker.got) == 1


def test_the_answer_decides(asked: tuple[Client, IdentityCheck, bytes]) -> None:
    client, check, key = asked
    refused = answer(client, check.id, {"approved": False, "reason": "Not the same person."}, key)
    assert refused.status == 200, refused.document
    assert login(client).document["user"]["status"] == "pending"
    assert answer(client, check.id, {"approved": True}, key).status == 200
    assert login(client).document["user"]["status"] == "active"
    assert answer(client, check.id, {"approved": True}, key).status == 200, "a repetition changes nothing"
    assert Message.objects.filter(kind="user_approved").count() == 1


@pytest.mark.parametrize(
    "how", ["another key", "late", "no signature", "another body", "unknown check", "another customer"]
)
def test_what_is_not_signed_is_refused_alike(asked: tuple[Client, IdentityCheck, bytes], how: str) -> None:
    from apps.core.ids import new_id

    client, check, key = asked
    document = {"approved": True}
    if how == "another key":
        got = answer(client, check.id, document, b"x" * 64)
    elif how == "late":
        got = answer(client, check.id, document, key, late=301)
    elif how == "no signature":
        got = client.call("POST", f"/api/identity-checks/{check.id}", json.dumps(document).encode())
    elif how == "another body":
        signature = signatures.sign(b'{"approved": false}', key=key, now=timezone.now())
        got = client.call(
            "POST",
            f"/api/identity-checks/{check.id}",
            json.dumps(document).encode(),
            headers={signatures.HEADER: signature},
        )
    elif how == "unknown check":
        got = answer(client, new_id(), document, key)
    else:
        other = factories.customer()
        theirs = outside_checks.renew_secret(other, actor="system", caller=None, now=timezone.now())
        got = answer(client, check.id, document, theirs.encode())
    assert (got.status, got.error_type) == (401, "invalid_signature")
    check.refresh_from_db()
    assert check.state == "waiting"


@pytest.mark.parametrize(
    "document", [{}, {"approved": "perhaps"}, {"approved": True, "reason": "x" * 501}, {"approved": None}]
)
def test_a_wrong_answer_is_named(asked: tuple[Client, IdentityCheck, bytes], document: object) -> None:
    client, check, key = asked
    assert answer(client, check.id, document, key).error_type == "validation_error"


def test_private_addresses_are_refused(
    asked: tuple[Client, IdentityCheck, bytes], checker: Checkers, settings: object
) -> None:
    """C8: private addresses refused."""
    settings.IDENTITY_CHECK_PRIVATE_ADDRESSES = False  # type: ignore[attr-defined]
    assert tasks.ask_identity_checks() == 0
    assert not checker.got


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://10.1.2.3/",
        "http://169.254.169.254/",
        "http://localhost/",
        "http://[::ffff:192.168.0.1]/",
        "http://0.0.0.0/",
        "ftp://example.com/",
        "http:///",
        "gopher://x",
        "http://224.0.0.1/",
    ],
)
def test_no_private_address_is_called(url: str) -> None:
    with pytest.raises(outgoing.Unreachable):
        outgoing.post(url, b"", {}, within=2)
