"""C4: when the transaction fails, a right code is neither spent nor counted as a try."""

import threading
import time

import pytest
from django.db import connection, connections, transaction

from apps.core import valkey
from apps.customers import limits
from apps.mail.models import Message
from apps.otp import attempt_limits, code_store
from apps.otp.code_sets import CodeSet
from apps.tokens.models import Session
from apps.users import emails
from apps.users.models import User
from tests import factories
from tests.accounts.recovering import forgot, mailed_token, reset
from tests.accounts.registering import quick
from tests.accounts.test_sign_up import sign_up
from tests.conftest import MakeClient
from tests.engines import OwnValkey
from tests.killing import killed_at
from tests.meanwhile import PATIENCE, SOMEBODY_WAITS
from tests.otp.reading import all_codes, newest_code, wrong_code
from tests.otp.ways import WAYS, Way
from tests.races import at_once
from tests.signin.entering import EMAIL, enrol_app, login, member, second

pytestmark = pytest.mark.django_db(transaction=True)
OWNER = "owner@example.com"
MORE_THAN_ALLOWED = 6  # of five tries: in a quarter of an hour, of a set, of a challenge


@pytest.fixture(autouse=True)
def texts(settings: object, tmp_path: object) -> None:
    settings.SMS_BACKEND, settings.SMS_FILE_PATH = "apps.mail.sms_transports.File", f"{tmp_path}/sms.jsonl"  # type: ignore[attr-defined]


@pytest.mark.parametrize("at_commit", [False, True], ids=["between statements", "at the commit"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_killed_connection_costs_neither_code_nor_try(client_for: MakeClient, way: Way, at_commit: bool) -> None:
    """With the limits as they are by default."""
    customer = factories.customer()
    use = way(client_for(customer), customer)
    code, sessions = newest_code(), Session.objects.count()
    with killed_at("mail_ledgerentry", times=MORE_THAN_ALLOWED, at_commit=at_commit):
        for _ in range(MORE_THAN_ALLOWED):
            answer = use(code)
            assert (answer.status, answer.error_type) == (503, "temporarily_unavailable")
        assert Session.objects.count() == sessions
        assert use(code).status == 200


def test_so_it_is_for_an_authenticator_app_and_a_password(client_for: MakeClient) -> None:
    customer = factories.customer()
    app = enrol_app(member(customer))
    client = client_for(customer)
    with killed_at("signin_challenge", times=MORE_THAN_ALLOWED):
        for _ in range(MORE_THAN_ALLOWED):
            assert login(client).status == 503
        token = login(client).document["session_token"]
    with killed_at("tokens_session", times=MORE_THAN_ALLOWED):
        for _ in range(MORE_THAN_ALLOWED):
            assert second(client, token, "totp", code=app.now()).status == 503
        assert second(client, token, "totp", code=app.now()).status == 200


def test_so_it_is_for_whatever_else_is_limited(client_for: MakeClient, settings: object) -> None:
    """A forgotten password, a new customer, a link that came by mail."""
    settings.ALLOW_CUSTOMER_SIGNUP = True  # type: ignore[attr-defined]
    customer = factories.customer()
    factories.limit(customer, "tries_per_ip", 3)
    member(customer)
    client, anybody = client_for(customer), client_for(None)
    with killed_at("mail_message", times=2 * MORE_THAN_ALLOWED):
        for _ in range(MORE_THAN_ALLOWED):
            assert forgot(client).status == 503
            assert sign_up(anybody, OWNER).status == 503
        assert forgot(client).status == 200
        assert sign_up(anybody, OWNER).status == 201
    token = mailed_token()
    with killed_at("accounts_resettoken", times=MORE_THAN_ALLOWED):
        for _ in range(MORE_THAN_ALLOWED):
            assert reset(client, token).status == 503
        assert reset(client, token).status == 200


def test_a_wrong_code_stays_counted_when_it_cannot_be_written_down(client_for: MakeClient) -> None:
    """C5: else an attacker who makes the database fail may guess for ever."""
    client = client_for(factories.customer())
    client.request_otp(EMAIL)
    code = newest_code()
    with killed_at("audit_event", times=5):
        for _ in range(5):
            assert client.verify_otp(EMAIL, wrong_code(code)).status == 503
    assert client.verify_otp(EMAIL, code).error_type == "rate_limited"


def test_asking_that_fails_costs_neither_the_wait_nor_a_place_nor_a_count(client_for: MakeClient) -> None:
    customer = factories.customer(code_resend_after=0)
    factories.limit(customer, "codes_per_email", 4)
    client = client_for(customer)
    for _ in range(3):
        client.request_otp(EMAIL)
    factories.policy(customer, code_resend_after=2)
    time.sleep(2.1)
    with killed_at("mail_message", times=MORE_THAN_ALLOWED):
        for _ in range(MORE_THAN_ALLOWED):
            assert client.request_otp(EMAIL).status == 503
    oldest = all_codes()[0]
    assert client.verify_otp(EMAIL, oldest).status == 200, "a code that is not sent takes no other's place"
    factories.policy(customer, code_resend_after=60)
    assert client.request_otp(EMAIL).status == 200
    assert client.request_otp(EMAIL).error_type == "resend_too_soon"


def test_a_process_that_dies_in_between_leaves_the_code_good(client_for: MakeClient) -> None:
    customer = factories.customer()
    client = client_for(customer)
    client.request_otp(EMAIL)
    code, standing = newest_code(), factories.state_of(customer)
    address = emails.parse(EMAIL)
    guessing = limits.rule(standing.limit(limits.WRONG_CODES_PER_CUSTOMER), customer.id)
    claim = code_store.claim(
        CodeSet(customer.id, address.identity, "login"),
        code,
        network=attempt_limits.of_network(standing, factories.context()),
        rules=attempt_limits.rules(standing, address, factories.context()),
        guessing=guessing,
    )
    assert claim.message_id is not None  # and nobody settles it
    assert client.verify_otp(EMAIL, code).status == 200


def test_when_the_first_of_many_right_answers_fail_the_next_signs_in(client_for: MakeClient) -> None:
    customer = quick()
    clients = [client_for(customer) for _ in range(8)]
    clients[0].request_otp(EMAIL)
    code = newest_code()
    with killed_at("tokens_session", times=3):
        statuses = at_once(8, lambda number: clients[number].verify_otp(EMAIL, code).status, threads=8)
    assert sorted(statuses) == [200, 400, 400, 400, 400, 503, 503, 503]
    assert (Session.objects.count(), User.objects.count()) == (1, 1)


def test_killed_at_any_moment_a_sign_in_can_be_tried_again(client_for: MakeClient) -> None:
    """Killed at any point, milliseconds apart. A code is lost only if its answer was lost too: then the session exists."""
    customer = quick()
    for name in ("codes_per_email", "codes_per_ip"):
        factories.limit(customer, name, 1000)
    client = client_for(customer)
    for milliseconds in range(0, 60, 3):
        client.request_otp(EMAIL)
        code, sessions = newest_code(), Session.objects.count()
        pid = connection.connection.info.backend_pid
        killer = threading.Thread(target=kill, args=(pid, milliseconds / 1000))
        killer.start()
        first = client.verify_otp(EMAIL, code)
        killer.join()
        connection.close()
        assert first.status in (200, 503), first.document
        if first.status == 503 and Session.objects.count() == sessions:
            assert client.verify_otp(EMAIL, code).status == 200
        assert Session.objects.count() == sessions + 1


def kill(pid: int, seconds: float) -> None:
    try:
        time.sleep(seconds)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    finally:
        connections.close_all()


def test_valkey_dying_after_the_commit_takes_nothing_back(client_for: MakeClient, valkey_away: OwnValkey) -> None:
    """The user is signed in, and the code is dead although Valkey could not be told."""
    customer = quick()
    user = member(customer)
    client = client_for(customer)
    client.request_otp(EMAIL)
    code = newest_code()
    with locked(user, then=valkey_away.kill):
        assert client.verify_otp(EMAIL, code).status == 200
    valkey_away.start()
    assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"
    assert Session.objects.count() == 1


def test_without_either_engine_the_code_waits_for_both(client_for: MakeClient, valkey_away: OwnValkey) -> None:
    """Valkey could not be told to give the try back: it stays counted, and the code is good."""
    customer = quick()
    user = member(customer)
    client = client_for(customer)
    client.request_otp(EMAIL)
    code = newest_code()
    with killed_at("tokens_session", times=1), locked(user, then=valkey_away.kill):
        assert client.verify_otp(EMAIL, code).status == 503
    valkey_away.start()
    assert client.verify_otp(EMAIL, code).status == 200


class locked:  # noqa: N801  (reads as a sentence)
    """Hold the user's row until somebody waits for it, then do this and let the row go."""

    def __init__(self, user: User, *, then: object) -> None:
        self._user, self._then = user, then
        self._held = threading.Event()
        self._thread = threading.Thread(target=self._hold)

    def __enter__(self) -> None:
        self._thread.start()
        assert self._held.wait(PATIENCE)

    def __exit__(self, *_error: object) -> None:
        self._thread.join()

    def _hold(self) -> None:
        try:
            with transaction.atomic():
                User.objects.select_for_update().get(id=self._user.id)
                self._held.set()
                deadline = time.monotonic() + PATIENCE
                while time.monotonic() < deadline and not self._somebody_waits():
                    time.sleep(0.01)
                self._then()  # type: ignore[operator]
        finally:
            connections.close_all()

    def _somebody_waits(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(SOMEBODY_WAITS)
            return bool(cursor.fetchone()[0])


def test_what_failed_left_no_trace(client_for: MakeClient) -> None:
    client = client_for(factories.customer())
    client.request_otp(EMAIL)
    code = newest_code()
    with killed_at("tokens_session", times=1):
        assert client.verify_otp(EMAIL, code).status == 503
    assert not User.objects.exists()
    assert Message.objects.get().code_spent_at is None
    assert any(b":codes:" in key for key in valkey.client().scan_iter())
