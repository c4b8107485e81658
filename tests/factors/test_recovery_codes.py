"""Ten codes, for users who have lost every other factor."""

import re

import pytest
from django.utils import timezone

from apps.audit.models import Event
from apps.factors import recovery_codes
from apps.factors.models import RecoveryCode
from apps.mail import outbox
from apps.mail.models import Message
from demo.client import Answer, Client
from tests import factories
from tests.conftest import MakeClient
from tests.races import at_once
from tests.signin.entering import enrol_app, generous, login, member, second

pytestmark = pytest.mark.django_db(transaction=True)
FORM = re.compile(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}")


def test_ten_are_made_and_shown_once(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = factories.user(customer)
    enrol_app(user)
    client, token = client_for(customer), factories.session(user).access
    made = client.post("/api/auth/2fa/recovery-codes", {}, token=token)
    assert made.status == 201
    codes = made.document["recovery_codes"]
    assert len(set(codes)) == 10
    assert all(FORM.fullmatch(code) for code in codes)
    kept = str(list(RecoveryCode.objects.values())) + str(list(Event.objects.values()))
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)
    assert client.get("/api/auth/2fa", token=token).document["recovery_codes_left"] == 10


def test_there_are_none_before_there_is_a_factor(client_for: MakeClient) -> None:
    """An attacker who has an account for a minute must not leave codes behind that open it once a factor protects it."""
    customer = factories.customer()
    user = factories.user(customer)
    client, token = client_for(customer), factories.session(user).access
    refused = client.post("/api/auth/2fa/recovery-codes", {}, token=token)
    assert (refused.status, refused.error_type) == (409, "no_second_factor")
    assert not RecoveryCode.objects.exists()


def test_the_user_is_told_of_new_ones(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = factories.user(customer)
    enrol_app(user)
    client, token = client_for(customer), factories.session(user).access
    Message.objects.all().delete()
    assert client.post("/api/auth/2fa/recovery-codes", {}, token=token).status == 201
    message = Message.objects.get()
    assert (message.kind, message.recipient) == ("factor_added", user.email)


def test_new_ones_replace_the_old(client_for: MakeClient) -> None:
    user = factories.user(factories.customer())
    old = recovery_codes.make(user, now=timezone.now())
    recovery_codes.make(user, now=timezone.now())
    assert not recovery_codes.use(user.id, old[0], now=timezone.now())
    assert recovery_codes.left(user.id) == 10


def test_each_works_once_of_a_hundred_times() -> None:
    """Issue: races: 100 simultaneous uses of one recovery code → 1."""
    user, now = factories.user(factories.customer()), timezone.now()
    code = recovery_codes.make(user, now=now)[0]
    assert at_once(100, lambda _: recovery_codes.use(user.id, code, now=now), threads=100).count(True) == 1
    assert recovery_codes.left(user.id) == 9


def test_those_of_another_user_are_worthless() -> None:
    one, other = factories.user(factories.customer()), factories.user(factories.customer())
    code = recovery_codes.make(one, now=timezone.now())[0]
    recovery_codes.make(other, now=timezone.now())
    assert not recovery_codes.use(other.id, code, now=timezone.now())


@pytest.mark.parametrize(
    "write",
    [
        str.lower,
        lambda code: code.replace("-", ""),
        lambda code: f"  {code.replace('-', ' ')}\n",
        lambda code: code.replace("0", "o").replace("1", "l"),
    ],
)
def test_as_people_type_them(write: object) -> None:
    user = factories.user(factories.customer())
    code = recovery_codes.make(user, now=timezone.now())[0]
    assert recovery_codes.use(user.id, write(code), now=timezone.now())  # type: ignore[operator]


def test_many_who_make_some_at_once_leave_ten() -> None:
    user, now = factories.user(factories.customer()), timezone.now()
    at_once(8, lambda _: recovery_codes.make(user, now=now))
    assert recovery_codes.left(user.id) == 10


def test_they_can_be_taken_away(client_for: MakeClient) -> None:
    customer = factories.customer()
    user = factories.user(customer)
    recovery_codes.make(user, now=timezone.now())
    client, token = client_for(customer), factories.session(user).access
    assert client.delete("/api/auth/2fa/recovery-codes", token=token).status == 200
    assert client.delete("/api/auth/2fa/recovery-codes", token=token).status == 404


def spend(client: Client, code: str) -> Answer:
    return second(client, login(client).document["session_token"], "recovery_code", code=code)


def test_the_answer_says_how_many_are_left_and_a_mail_when_they_run_out(client_for: MakeClient) -> None:
    """Issue: using 6 of 10 recovery codes told nobody."""
    customer = generous()
    user = member(customer)
    enrol_app(user)
    codes = recovery_codes.make(user, now=timezone.now())
    Message.objects.all().delete()
    client = client_for(customer)
    answers = [spend(client, code) for code in codes]
    assert [answer.document["recovery_codes_left"] for answer in answers] == list(range(9, -1, -1))
    told = Message.objects.filter(kind="recovery_codes_low").order_by("id")
    subjects = [outbox.content_of(message).subject for message in told]  # type: ignore[union-attr]
    assert subjects == [f"You have {left} recovery codes left for {customer.name}" for left in ("3", "no")]
    assert set(told.values_list("recipient", flat=True)) == {user.email}
    used = Event.objects.filter(action="recovery_code_used", user_id=user.id).order_by("id")
    assert [event.details for event in used] == [{"left": left} for left in range(9, -1, -1)]
    overview = client.get("/api/auth/2fa", token=answers[-1].document["access_token"]).document
    assert overview["recovery_codes_left"] == 0


def test_a_wrong_one_says_nothing_of_them(client_for: MakeClient) -> None:
    customer = generous()
    user = member(customer)
    enrol_app(user)
    refused = spend(client_for(customer), "0000-0000-0000-0000")
    assert refused.error_type == "invalid_otp"
    assert "recovery_codes_left" not in str(refused.document)
    assert not Event.objects.filter(action="recovery_code_used").exists()


def test_other_factors_say_nothing_of_them(client_for: MakeClient) -> None:
    customer = generous()
    app = enrol_app(member(customer))
    client = client_for(customer)
    answer = second(client, login(client).document["session_token"], "totp", code=app.now())
    assert answer.status == 200
    assert "recovery_codes_left" not in answer.document
