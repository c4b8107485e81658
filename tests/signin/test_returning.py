"""C3.4, C4: a returning user is signed in by two statements. What happens between them counts as if it had come before.

Each test lets something happen after the user was read and before the session is written.
"""

from collections.abc import Callable
from functools import partial

import pyotp
import pytest
from django.utils import timezone

from apps.accounts import erasure
from apps.core import actors
from apps.customers import keyring
from apps.customers import lifecycle as customer_lifecycle
from apps.customers.models import Customer
from apps.factors import totp
from apps.mail.models import LedgerEntry, Message
from apps.tokens import sessions
from apps.tokens.models import Session
from apps.users import credentials, lifecycle
from apps.users.models import User
from demo.client import Answer, Client
from tests import factories
from tests.conftest import MakeClient
from tests.meanwhile import uncommitted
from tests.otp.reading import newest_code
from tests.races import at_once
from tests.roundtrips import counted
from tests.signin.entering import EMAIL, generous, member

pytestmark = pytest.mark.django_db(transaction=True)


def returning(client_for: MakeClient, customer: Customer) -> tuple[Client, User, str]:
    """A user who has signed in from this device before, and a fresh code."""
    user, client = member(customer), client_for(customer)
    client.request_otp(EMAIL)
    assert client.verify_otp(EMAIL, newest_code()).status == 200
    client.request_otp(EMAIL)
    return client, user, newest_code()


@pytest.fixture
def before_writing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Let this happen once, on a connection of its own."""

    def interrupt(happens: Callable[[], object]) -> None:
        start = sessions.start_by_code

        def interrupted(**facts: object) -> object:
            monkeypatch.setattr(sessions, "start_by_code", start)
            at_once(1, lambda _: happens())
            return start(**facts)  # type: ignore[arg-type]

        monkeypatch.setattr(sessions, "start_by_code", interrupted)

    return interrupt


Interrupt = Callable[[Callable[[], object]], None]


def test_a_factor_that_is_enrolled_meanwhile_is_asked_for(client_for: MakeClient, before_writing: Interrupt) -> None:
    customer = generous()
    client, user, code = returning(client_for, customer)
    token = factories.session(user).access
    secret = client.post("/api/auth/2fa/totp", {}, token=token).document["secret"]
    app = {"code": pyotp.TOTP(secret).now()}
    before_writing(lambda: client.post("/api/auth/2fa/totp/confirm", app, token=token))
    answer = client.verify_otp(EMAIL, code)
    assert (answer.status, answer.document.get("requires_2fa")) == (200, True)
    assert "access_token" not in answer.document


def test_so_is_one_whose_enrolment_is_about_to_commit(client_for: MakeClient) -> None:
    """The sign-in has read the user, and waits to write."""
    customer = generous()
    client, user, code = returning(client_for, customer)
    secret = totp.begin(user, customer=factories.state_of(customer), now=timezone.now()).secret
    enrol = partial(totp.confirm, user, pyotp.TOTP(secret).now(), customer=factories.state_of(customer))
    with uncommitted(lambda: enrol(context=factories.context())):
        answer = client.verify_otp(EMAIL, code)
    assert answer.document.get("requires_2fa") is True


def test_who_is_deactivated_meanwhile_does_not_get_in(client_for: MakeClient, before_writing: Interrupt) -> None:
    client, user, code = returning(client_for, generous())
    before, there = User.objects.get().last_sign_in_at, Session.objects.count()
    before_writing(lambda: lifecycle.deactivate(User.objects.get(id=user.id), context=factories.context(actors.SYSTEM)))
    assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"
    assert (User.objects.get().last_sign_in_at, Session.objects.count()) == (before, there)


def test_a_code_that_is_spent_meanwhile_changes_nothing(client_for: MakeClient, before_writing: Interrupt) -> None:
    client, _user, code = returning(client_for, generous())
    User.objects.update(wrong_codes=3)
    there = Session.objects.count(), LedgerEntry.objects.count()
    before_writing(lambda: Message.objects.filter(code_spent_at=None).update(code_spent_at=factories.context().now))
    assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"
    assert (Session.objects.count(), LedgerEntry.objects.count()) == there
    assert User.objects.get().wrong_codes == 4, "counted as a wrong one, and not forgotten"


def test_a_session_that_begins_meanwhile_takes_the_room(client_for: MakeClient, before_writing: Interrupt) -> None:
    customer = factories.customer(sessions_per_user=2, code_resend_after=0)
    client, user, code = returning(client_for, customer)
    before_writing(lambda: factories.session(user))
    assert client.verify_otp(EMAIL, code).status == 200
    assert Session.objects.filter(ended_at=None).count() == 2


def test_a_role_that_is_given_meanwhile_is_in_the_token(client_for: MakeClient, before_writing: Interrupt) -> None:
    client, user, code = returning(client_for, generous())
    before_writing(lambda: User.objects.filter(id=user.id).update(role="admin"))
    assert client.verify_otp(EMAIL, code).document["user"]["role"] == "admin"


def test_who_is_erased_meanwhile_does_not_get_in_nor_as_who_comes_after(
    client_for: MakeClient, before_writing: Interrupt
) -> None:
    customer = generous()
    client, user, code = returning(client_for, customer)

    def erase_and_come_back() -> None:
        erasure.erase(customer_id=customer.id, user_id=user.id, context=factories.context(actors.SYSTEM))
        member(customer)

    before_writing(erase_and_come_back)
    assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"
    assert not Session.objects.exists()


def test_a_code_from_before_a_change_of_credentials_is_void(client_for: MakeClient, before_writing: Interrupt) -> None:
    client, user, code = returning(client_for, generous())
    there = Session.objects.count()
    before_writing(lambda: credentials.change(User.objects.get(id=user.id), now=timezone.now()))
    assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"
    assert Session.objects.count() == there


@pytest.mark.parametrize(
    "stop", [keyring.rotate_in_emergency, customer_lifecycle.suspend], ids=["rotated", "suspended"]
)
def test_tokens_of_a_customer_that_is_stopped_meanwhile_open_nothing(
    client_for: MakeClient, before_writing: Interrupt, stop: Callable[..., object]
) -> None:
    customer = generous()
    client, _user, code = returning(client_for, customer)
    before_writing(lambda: stop(customer, context=factories.context(actors.SYSTEM)))
    answer = client.verify_otp(EMAIL, code)
    if answer.status == 200:
        assert client.get("/api/auth/me", token=answer.document["access_token"]).status in (401, 403)
        assert client.refresh(answer.document["refresh_token"]).status in (401, 403)


def test_of_many_at_once_with_both_codes_one_gets_in(client_for: MakeClient) -> None:
    customer = generous(code_resend_after=0)
    client, _user, first = returning(client_for, customer)
    client.request_otp(EMAIL)
    codes, there = (first, newest_code()), Session.objects.count()
    answers = at_once(12, lambda number: client.verify_otp(EMAIL, codes[number % 2]).status)
    assert answers.count(200) == 1
    assert Session.objects.count() == there + 1


@pytest.mark.parametrize(
    "unlike",
    [
        lambda user: User.objects.filter(id=user.id).update(email_verified_at=None),
        lambda user: user.known_devices.update(name="Another"),
        lambda user: factories.policy(user.customer, sessions_per_user=1),
    ],
    ids=["mailbox not proven", "new device", "too many sessions"],
)
def test_whatever_is_out_of_the_ordinary_takes_a_transaction(
    client_for: MakeClient, unlike: Callable[[User], object]
) -> None:
    client, user, code = returning(client_for, generous())
    unlike(user)
    with counted() as cost:
        answer: Answer = client.verify_otp(EMAIL, code)
    assert (answer.status, cost.transactions) == (200, 1)
