"""Users who wait for an identity check outside: asked for and answered, signed."""

import json
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from apps.approvals import decisions, outside_requests, tasks
from apps.approvals.models import IdentityCheck
from apps.audit.models import Event
from apps.core import signatures
from apps.core.context import RequestContext
from apps.core.ids import new_id
from apps.customers import lifecycle as customers
from apps.mail.models import Message
from apps.users import lifecycle as users
from tests import factories
from tests.approvals.approving import decide, waiting
from tests.approvals.checking import Asked, Checkers, answer, ask_all, deliver, secret_of
from tests.conftest import MakeClient
from tests.meanwhile import Intruder
from tests.races import at_once
from tests.signin.entering import EMAIL, login

pytestmark = pytest.mark.django_db(transaction=True)


def acting() -> RequestContext:
    return factories.context("operator:o")


def another_check(asked: Asked) -> IdentityCheck:
    """Of another user of the same customer, who waits too."""
    user = factories.user(asked.customer, "eve@example.com", status="pending", email_verified_at=timezone.now())
    decisions.open_for(user, customer=factories.state_of(asked.customer), now=timezone.now())
    return IdentityCheck.objects.get(user=user)


# --- Asking ---------------------------------------------------------------------------------------------------------


def test_the_request_says_who_and_is_signed(asked: Asked, checker: Checkers) -> None:
    assert ask_all() == 1
    question = checker.got[0]
    assert signatures.signed_at(question.signature, question.body, key=asked.key, now=timezone.now())
    document = json.loads(question.body)
    assert document["check_id"] == str(asked.check.id)
    assert document["user"]["email"] == EMAIL
    assert document["callback_url"] == f"https://auth.example.test/api/identity-checks/{asked.check.id}"
    assert ask_all() == 0, "asked once"
    assert tasks.tell_operators() == 0, "no operator is bothered"


@pytest.mark.parametrize("status", [302, 400, 500])
def test_a_checker_in_trouble_is_asked_again(asked: Asked, checker: Checkers, status: int) -> None:
    checker.statuses = [status]
    assert ask_all() == 0
    asked.check.refresh_from_db()
    assert asked.check.asked_at is None
    assert asked.check.next_try_at is not None
    assert asked.check.next_try_at > timezone.now()
    IdentityCheck.objects.update(next_try_at=timezone.now())
    assert ask_all() == 1
    assert len(checker.got) == 2


def test_of_many_workers_one_asks(asked: Asked, checker: Checkers) -> None:
    assert sum(at_once(6, lambda _: ask_all())) == 1
    assert len(checker.got) == 1


def test_private_addresses_are_refused(asked: Asked, checker: Checkers, settings: Any) -> None:
    """C8: private addresses refused."""
    settings.IDENTITY_CHECK_PRIVATE_ADDRESSES = False
    assert ask_all() == 0
    assert not checker.got


@pytest.mark.parametrize("when", ["before it is handed over", "while it is in the queue"])
@pytest.mark.parametrize("how", ["suspended customer", "no address", "deactivated user"])
def test_nobody_outside_hears_of_users_whom_they_are_not_to_check(
    asked: Asked, checker: Checkers, how: str, when: str
) -> None:
    """C1.8: a suspended customer's users are handed to nobody."""
    handed_over = outside_requests.due(now=timezone.now()) if when == "while it is in the queue" else []
    if how == "suspended customer":
        customers.suspend(asked.customer, context=acting())
    elif how == "no address":
        factories.policy(asked.customer, identity_check_url="")
    else:
        users.deactivate(asked.check.user, context=acting())
    assert outside_requests.due(now=timezone.now()) == []
    assert not any(tasks.ask_identity_check(str(check_id)) for check_id in handed_over)
    assert not checker.got


def test_customers_take_turns(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """A customer whose users fill every batch does not keep another's waiting."""
    monkeypatch.setattr(outside_requests, "BATCH", 2)
    another_check(asked)
    other = factories.customer(demands_approval=True, identity_check_url="https://check.example/")
    secret_of(other)
    user = factories.user(other, status="pending")
    decisions.open_for(user, customer=factories.state_of(other), now=timezone.now())
    due = outside_requests.due(now=timezone.now())
    assert due == [asked.check.id, IdentityCheck.objects.get(user=user).id]


def test_operators_are_told_of_users_whom_nobody_can_be_asked_about_for_want_of_a_secret(
    client_for: MakeClient, checker: Checkers
) -> None:
    customer, _client, _check = waiting(client_for, identity_check_url=checker.url)
    assert outside_requests.due(now=timezone.now()) == []
    assert tasks.tell_operators() == 1
    IdentityCheck.objects.update(operators_told_at=None)
    secret_of(customer)
    assert tasks.tell_operators() == 0


# --- Answers --------------------------------------------------------------------------------------------------------


def test_the_answer_decides(asked: Asked) -> None:
    refused = answer(asked.client, asked.check.id, {"approved": False, "reason": "Too dark."}, asked.key, late=2)
    assert refused.status == 200, refused.document
    assert login(asked.client).document["user"]["status"] == "pending"
    assert asked.says(approved=True, late=1).status == 200
    assert login(asked.client).document["user"]["status"] == "active"
    assert asked.says(approved=True).status == 200, "a repetition changes nothing"
    assert Message.objects.filter(kind="user_approved").count() == 1


def test_events_name_the_check_that_decided(asked: Asked) -> None:
    asked.says(approved=True)
    event = Event.objects.get(action="user_approved")
    assert (event.actor, event.user_id) == (f"identity-check:{asked.check.id}", asked.check.user_id)
    asked.check.refresh_from_db()
    assert asked.check.decided_by == event.actor


@pytest.mark.parametrize(
    "how", ["another key", "late", "early", "no signature", "another body", "unknown check", "another customer"]
)
def test_what_is_not_signed_is_refused_alike(asked: Asked, how: str) -> None:
    client, check, key = asked
    body = json.dumps({"check_id": str(check.id), "approved": True}).encode()
    if how == "another key":
        got = answer(client, check.id, {"approved": True}, b"x" * 64)
    elif how in ("late", "early"):
        got = asked.says(approved=True, late={"late": 400, "early": -400}[how])  # until it has come, time passes
    elif how == "no signature":
        got = client.call("POST", f"/api/identity-checks/{check.id}", body)
    elif how == "another body":
        got = deliver(client, check.id, body, signatures.sign(body + b" ", key=key, now=timezone.now()))
    elif how == "unknown check":
        got = answer(client, new_id(), {"approved": True}, key)
    else:
        got = answer(client, check.id, {"approved": True}, secret_of(factories.customer()))
    assert (got.status, got.error_type) == (401, "invalid_signature")
    assert asked.status == "pending"


@pytest.mark.parametrize(
    "document",
    [
        *({}, {"approved": "perhaps"}, {"approved": True, "reason": "x" * 501}, {"approved": None}),
        *({"approved": True, "check_id": None}, {"approved": True, "check_id": "1"}),
    ],
)
def test_a_wrong_answer_is_named(asked: Asked, document: dict[str, object]) -> None:
    assert answer(asked.client, asked.check.id, document, asked.key).error_type == "validation_error"
    assert asked.status == "pending"


def test_what_is_signed_must_name_its_check(asked: Asked) -> None:
    body = b'{"approved": true}'
    got = deliver(asked.client, asked.check.id, body, signatures.sign(body, key=asked.key, now=timezone.now()))
    assert (got.status, got.error_type) == (400, "validation_error")
    assert asked.status == "pending"


def test_what_was_signed_for_one_check_is_worthless_for_another(asked: Asked) -> None:
    """The address is not signed: an approval seen once would else approve any user of that customer."""
    theirs = another_check(asked)
    body = json.dumps({"check_id": str(asked.check.id), "approved": True}).encode()
    signature = signatures.sign(body, key=asked.key, now=timezone.now())
    got = deliver(asked.client, theirs.id, body, signature)
    assert (got.status, got.error_type) == (401, "invalid_signature")
    theirs.refresh_from_db()
    assert (theirs.state, theirs.user.status) == ("waiting", "pending")
    assert deliver(asked.client, asked.check.id, body, signature).status == 200


def test_what_we_ask_is_no_answer(asked: Asked, checker: Checkers) -> None:
    """One key signs both directions, so the checker could send the question back."""
    ask_all()
    question = checker.got[0]
    assert deliver(asked.client, asked.check.id, question.body, question.signature).status == 400
    assert asked.status == "pending"


def test_an_answer_that_comes_again_does_not_undo_a_newer_one(asked: Asked) -> None:
    """An eavesdropper cannot repeat an approval after a rejection, though its signature is still valid."""
    body = json.dumps({"check_id": str(asked.check.id), "approved": True}).encode()
    overheard = signatures.sign(body, key=asked.key, now=timezone.now())
    assert deliver(asked.client, asked.check.id, body, overheard).status == 200
    assert asked.says(approved=False, late=-1).status == 200
    again = deliver(asked.client, asked.check.id, body, overheard)
    assert (again.status, again.error_type) == (409, "already_decided")
    assert asked.status == "pending"
    assert asked.says(approved=True, late=200).error_type == "already_decided", "nor does an older one that comes late"
    assert asked.says(approved=True, late=-2).status == 200


def test_a_repeated_answer_counts_as_heard(asked: Asked) -> None:
    """Else an answer signed between the two would undo the second."""
    assert asked.says(approved=True, late=200).status == 200
    assert asked.says(approved=True, late=1).status == 200
    assert asked.says(approved=False, late=100).error_type == "already_decided"
    assert asked.status == "active"


def test_of_answers_signed_at_once_the_first_to_come_stands(asked: Asked) -> None:
    now = timezone.now()

    def say(number: int) -> int:
        body = json.dumps({"check_id": str(asked.check.id), "approved": number % 2 == 0}).encode()
        return deliver(asked.client, asked.check.id, body, signatures.sign(body, key=asked.key, now=now)).status

    statuses = at_once(8, say)
    assert sorted(statuses) == [200] * 4 + [409] * 4, "those who say the same are told so"
    assert Event.objects.filter(action__in=("user_approved", "user_rejected")).count() == 1


@pytest.mark.parametrize("approved", [True, False])
def test_what_an_operator_has_decided_is_final(asked: Asked, approved: bool) -> None:
    assert asked.says(approved=approved, late=3).status == 200
    asked.check.refresh_from_db()
    decide(asked.check, approve=not approved)
    status = asked.status
    got = asked.says(approved=approved)
    assert (got.status, got.error_type) == (409, "already_decided")
    assert asked.status == status
    asked.check.refresh_from_db()
    assert asked.check.decided_by == "operator:o"


def test_an_operator_who_decides_while_answers_come_has_the_last_word(asked: Asked) -> None:
    def act(number: int) -> object:
        return decide(asked.check, approve=False) if number == 3 else asked.says(approved=True, late=8 - number)

    at_once(8, act)
    assert asked.status == "pending"
    assert (asked.check.state, asked.check.decided_by) == ("rejected", "operator:o")


def test_an_answer_waits_for_whoever_is_deciding_on_the_user(asked: Asked) -> None:
    """All lock the user first: else two that each hold what the other needs would deadlock."""
    late = Intruder(lambda: asked.says(approved=True).error_type)
    with transaction.atomic():
        decisions.lock_user(asked.check)
        late.begin()
        decide(asked.check, approve=False)
    assert late.result() == "already_decided"


def test_a_deactivated_user_stays_so_whatever_the_answer(asked: Asked) -> None:
    users.deactivate(asked.check.user, context=acting())
    asked.says(approved=True)
    assert asked.status == "deactivated"


@pytest.mark.parametrize("document", [{"approved": True}, {}])
def test_a_suspended_customers_answers_are_refused(asked: Asked, document: dict[str, object]) -> None:
    """C1.8: on every path."""
    customers.suspend(asked.customer, context=acting())
    got = answer(asked.client, asked.check.id, document, asked.key)
    assert (got.status, got.error_type) == (403, "customer_suspended")
    assert asked.status == "pending"


def test_where_operators_approve_by_now_no_answer_does(asked: Asked) -> None:
    factories.policy(asked.customer, identity_check_url="")
    got = asked.says(approved=True)
    assert (got.status, got.error_type) == (403, "permission_denied")
    assert asked.status == "pending"


def test_a_renewed_secret_makes_the_old_one_worthless(asked: Asked) -> None:
    secret_of(asked.customer)
    assert asked.says(approved=True).error_type == "invalid_signature"
    assert asked.status == "pending"
