"""Users who wait to be approved: by operators, who are told, or by somebody outside, who is asked and answers, signed."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.contrib.auth.models import User as Operator
from django.test import Client as Browser
from django.utils import timezone

from apps.audit.models import Event
from apps.core import outgoing, signatures
from apps.customers.models import Customer
from apps.mail.models import Message
from apps.signin import identity_check, outside_checks, tasks
from apps.signin.models import IdentityCheck, Password
from demo.client import Answer, Client
from tests import factories
from tests.conftest import MakeClient
from tests.otp.reading import newest_code
from tests.races import at_once, outcome
from tests.signin.entering import EMAIL, PASSWORD, generous, login, member
from tests.signin.test_registration import register, verify

pytestmark = pytest.mark.django_db(transaction=True)


def waiting(client_for: MakeClient, **policy: object) -> tuple[Customer, Client, IdentityCheck]:
    customer = factories.customer(demands_approval=True, **policy)
    client = client_for(customer)
    register(client)
    assert verify(client, newest_code()).document["user"]["status"] == "pending"
    return customer, client, IdentityCheck.objects.get()


def decide(check: IdentityCheck, approve: bool = True, reason: str = "") -> None:
    customer = factories.standing_of(check.customer)
    acting = {"customer": customer, "actor": "operator:o", "caller": None, "now": timezone.now()}
    if approve:
        identity_check.approve(check, **acting)  # type: ignore[arg-type]
    else:
        identity_check.reject(check, reason=reason, **acting)  # type: ignore[arg-type]


def test_an_approved_user_is_active_on_the_next_request(client_for: MakeClient) -> None:
    _customer, client, check = waiting(client_for)
    token = login(client).document["access_token"]
    assert client.get("/api/auth/me", token=token).document["status"] == "pending"
    decide(check)
    assert client.get("/api/auth/me", token=token).document["status"] == "active"
    assert Message.objects.filter(kind="user_approved", recipient=EMAIL).count() == 1
    assert Event.objects.get(action="user_approved").actor == "operator:o"


def test_a_rejected_user_is_told_why_and_can_be_approved_later(client_for: MakeClient) -> None:
    _customer, client, check = waiting(client_for)
    decide(check, approve=False, reason="The picture cannot be read.")
    assert login(client).document["user"]["status"] == "pending"
    assert Message.objects.filter(kind="user_rejected").count() == 1
    decide(check)
    assert login(client).document["user"]["status"] == "active"
    decide(check, approve=False)
    assert login(client).document["user"]["status"] == "pending", "and the other way round"


def test_of_many_who_approve_at_once_one_does(client_for: MakeClient) -> None:
    _customer, _client, check = waiting(client_for)
    outcomes = at_once(8, lambda _: outcome(lambda: decide(check)))
    assert (outcomes.count("done"), outcomes.count("AlreadyDecided")) == (1, 7)
    assert Message.objects.filter(kind="user_approved").count() == 1


def test_an_approval_does_not_stand_for_a_proven_address() -> None:
    customer = factories.customer(demands_approval=True)
    user = factories.user(customer, EMAIL, status="pending")
    identity_check.open_for(user, customer=factories.standing_of(customer), now=timezone.now())
    decide(IdentityCheck.objects.get())
    user.refresh_from_db()
    assert user.status == "pending"
    assert user.approved_at is not None


def test_who_signs_in_by_code_for_the_first_time_waits_too(client_for: MakeClient) -> None:
    client = client_for(factories.customer(demands_approval=True))
    client.request_otp(EMAIL)
    answer = client.verify_otp(EMAIL, newest_code())
    assert (answer.document["user"]["status"], answer.document["user"]["is_new"]) == ("pending", True)
    assert IdentityCheck.objects.count() == 1


# --- Operators ------------------------------------------------------------------------------------------------------


def test_operators_who_may_approve_are_told_once(client_for: MakeClient) -> None:
    """Issue: operators are told of users who wait."""
    waiting(client_for)
    Operator.objects.create_superuser("boss", "boss@example.com", PASSWORD)
    Operator.objects.create_user("clerk", "clerk@example.com", PASSWORD, is_staff=True)
    assert tasks.tell_operators() == 1
    message = Message.objects.get(kind="users_waiting")
    assert message.recipient == "boss@example.com"
    assert tasks.tell_operators() == 0


def test_no_more_than_one_mail_in_ten_minutes(client_for: MakeClient) -> None:
    customer, client, _check = waiting(client_for)
    Operator.objects.create_superuser("boss", "boss@example.com", PASSWORD)
    tasks.tell_operators()
    client.request_otp("bob@example.com")
    client.verify_otp("bob@example.com", newest_code())
    assert IdentityCheck.objects.filter(customer=customer).count() == 2
    assert tasks.tell_operators() == 0
    IdentityCheck.objects.update(created_at=timezone.now())
    IdentityCheck.objects.exclude(operators_told_at=None).update(
        operators_told_at=timezone.now() - timedelta(minutes=11)
    )
    assert tasks.tell_operators() == 1


def test_where_no_address_is_to_be_proven_the_check_is_opened_a_little_later(client_for: MakeClient) -> None:
    """Not in the request, which does the same work for a taken address."""
    client = client_for(factories.customer(demands_approval=True, demands_verified_email=False))
    assert register(client).document["user"]["status"] == "pending"
    assert not IdentityCheck.objects.exists()
    tasks.tell_operators()
    assert IdentityCheck.objects.count() == 1


def test_an_operator_decides_on_a_page_that_asks_first(client_for: MakeClient) -> None:
    _customer, client, check = waiting(client_for)
    boss = Operator.objects.create_superuser("boss", "boss@example.com", PASSWORD)
    browser = Browser()
    browser.force_login(boss)
    listed = browser.get("/admin/signin/identitycheck/")
    assert EMAIL in listed.content.decode()
    page = f"/admin/signin/identitycheck/{check.id}"
    assert browser.get(f"{page}/change/").status_code == 200
    asked = browser.get(f"/admin/signin/identitycheck/{check.id}/reject/")
    assert asked.status_code == 200
    assert login(client).document["user"]["status"] == "pending"
    browser.post(f"/admin/signin/identitycheck/{check.id}/reject/", {"reason": "Too dark."})
    check.refresh_from_db()
    assert (check.state, check.reason, check.decided_by) == ("rejected", "Too dark.", "operator:boss")
    browser.post(f"/admin/signin/identitycheck/{check.id}/approve/")
    assert login(client).document["user"]["status"] == "active"


def test_an_operator_without_the_right_does_not_decide(client_for: MakeClient) -> None:
    _customer, _client, check = waiting(client_for)
    clerk = Operator.objects.create_user("clerk", "clerk@example.com", PASSWORD, is_staff=True)
    browser = Browser()
    browser.force_login(clerk)
    assert browser.post(f"/admin/signin/identitycheck/{check.id}/approve/").status_code == 403
    check.refresh_from_db()
    assert check.state == "waiting"


# --- Outside --------------------------------------------------------------------------------------------------------


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


def test_a_lock_by_a_test_key_sends_nothing(client_for: MakeClient) -> None:
    """C1.7: keys of environment `test` send no mail."""
    customer = generous()
    member(customer)
    _row, key = factories.api_key(customer, environment="test")
    client = client_for(None, headers={"X-OTP-API-Key": key})
    for _ in range(5):
        login(client, "wrong horse")
    tasks.tell_locked()
    assert Message.objects.get().state == "sandboxed"


def test_a_lock_is_told_by_mail_once(client_for: MakeClient) -> None:
    """C4: and an email tells the user."""
    customer = generous()
    user = member(customer)
    client = client_for(customer)
    for _ in range(5):
        login(client, "wrong horse")
    assert not Message.objects.exists(), "not in the request"
    assert tasks.tell_locked() == 1
    assert tasks.tell_locked() == 0
    message = Message.objects.get()
    assert (message.kind, message.recipient) == ("password_locked", EMAIL)
    Password.objects.filter(user=user).update(locked_until=timezone.now() - timedelta(seconds=1))
    for _ in range(5):
        login(client, "wrong horse")
    assert tasks.tell_locked() == 1, "each lock anew"
