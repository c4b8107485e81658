"""Neither the answer nor the work tells whether an address has an account; and the cost of each call is pinned."""

import pytest

from apps.customers.models import Customer
from apps.users import lifecycle
from demo.client import Answer
from tests import factories
from tests.conftest import MakeClient
from tests.otp.reading import newest_code
from tests.roundtrips import Cost, counted

pytestmark = pytest.mark.django_db(transaction=True)


def known(customer: Customer) -> None:
    factories.user(customer, "x@example.com")


def deactivated(customer: Customer) -> None:
    user = factories.user(customer, "x@example.com")
    lifecycle.deactivate(user, context=factories.context("system"))


def too_many_wrong(customer: Customer) -> None:
    factories.user(customer, "x@example.com", wrong_codes=100)


def closed(customer: Customer) -> None:
    factories.policy(customer, creates_users_on_sign_in=False)


def unknown(customer: Customer) -> None:
    pass


CASES = [unknown, known, deactivated, too_many_wrong, closed]


def observe(client_for: MakeClient, prepare: object, path: str, document: dict[str, str]) -> tuple[Answer, Cost]:
    customer = factories.customer()
    client = client_for(customer)
    client.request_otp("warm@example.com")  # fills what processes and Valkey remember
    prepare(customer)  # type: ignore[operator]
    client.verify_otp("warm@example.com", "000000")
    with counted() as cost:
        answer = client.before_sign_in(path, document)
    return answer, cost


def stable(answer: Answer) -> object:
    """The answer without what differs from call to call."""
    document = dict(answer.document)
    if "error" in document:
        document["error"] = {k: v for k, v in document["error"].items() if k not in ("timestamp", "request_id")}
    headers = {k: v for k, v in answer.headers.items() if k != "x-request-id"}
    return answer.status, document, headers


@pytest.mark.parametrize("case", CASES)
def test_asking_for_a_code_tells_nothing(client_for: MakeClient, case: object) -> None:
    reference, cost_of_reference = observe(client_for, known, "/api/auth/request-otp", {"email": "x@example.com"})
    answer, cost = observe(client_for, case, "/api/auth/request-otp", {"email": "x@example.com"})
    assert stable(answer) == stable(reference)
    assert len(cost.statements) == len(cost_of_reference.statements)
    assert cost.round_trips == cost_of_reference.round_trips


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_code_tells_nothing(client_for: MakeClient, case: object) -> None:
    wrong = {"email": "x@example.com", "otp": "000000"}
    reference, cost_of_reference = observe(client_for, known, "/api/auth/verify-otp", wrong)
    answer, cost = observe(client_for, case, "/api/auth/verify-otp", wrong)
    assert stable(answer) == stable(reference)
    assert len(cost.statements) == len(cost_of_reference.statements)
    assert cost.round_trips == cost_of_reference.round_trips


def test_request_otp_costs_two_statements_and_no_transaction_around_them(client_for: MakeClient) -> None:
    _, cost = observe(client_for, known, "/api/auth/request-otp", {"email": "x@example.com"})
    # The user; the mail, counted, with its event.
    assert len(cost.statements) == 2, cost.statements
    assert cost.transactions == 0
    # Replay, limits with the code, and the message to the worker (Celery's own connection).
    assert cost.round_trips == 3


def test_verify_otp_costs_what_it_must(client_for: MakeClient) -> None:
    customer = factories.customer()
    client = client_for(customer)
    client.request_otp("warm@example.com")
    client.verify_otp("warm@example.com", newest_code())
    client.request_otp("warm@example.com")
    code = newest_code()
    with counted() as cost:
        assert client.verify_otp("warm@example.com", code).status == 200
    # The user with all that counts; then, by itself: the code used, the sign-in noted, session with its refresh token, ledger, event.
    assert len(cost.statements) == 2, cost.statements
    assert cost.transactions == 0
    # Replay, the network's limit with the code, the code settled.
    assert cost.round_trips == 3


def test_the_answer_is_never_cached(client_for: MakeClient) -> None:
    answer, _ = observe(client_for, known, "/api/auth/request-otp", {"email": "x@example.com"})
    assert answer.headers["cache-control"] == "no-store"
