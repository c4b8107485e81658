# ruff: noqa: RUF001  (letters that look like others are what these tests type)
"""C4: a right code is right however it was typed, in every place that takes one; what can be no code costs no try."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from apps.customers.models import Customer
from apps.factors import recovery_codes
from apps.otp import code_sets, fixed_codes
from apps.users.models import User
from demo.client import Client
from tests import factories
from tests.conftest import MakeClient
from tests.otp.reading import newest_code
from tests.signin.entering import EMAIL, PASSWORD, enrol_app, generous, login, member, second, send

pytestmark = pytest.mark.django_db(transaction=True)


def in_arabic(code: str) -> str:
    return "\N{RIGHT-TO-LEFT MARK}" + "".join("٠١٢٣٤٥٦٧٨٩"[int(digit)] if digit.isdigit() else digit for digit in code)


def in_full_width(code: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) for letter in code)


def with_a_dash(code: str) -> str:
    return f"{code[:3]}\N{EN DASH}{code[3:]}\N{NO-BREAK SPACE}"


WAYS = [in_arabic, in_full_width, with_a_dash]
Typed = Callable[[str], str]


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def typed(request: pytest.FixtureRequest) -> Typed:
    way: Typed = request.param
    return way


@pytest.fixture
def customer() -> Customer:
    return generous(code_resend_after=0)


@pytest.fixture
def client(client_for: MakeClient, customer: Customer) -> Client:
    return client_for(customer)


def test_signing_in_by_mail(client: Client, typed: Typed) -> None:
    client.request_otp(EMAIL)
    assert client.verify_otp(EMAIL, typed(newest_code())).status == 200


def test_a_code_of_letters(client_for: MakeClient, typed: Typed) -> None:
    client = client_for(generous(code_alphabet="letters", code_length=8))
    client.request_otp(EMAIL)
    assert client.verify_otp(EMAIL, typed(newest_code().lower())).status == 200


def test_proving_an_address(client: Client, typed: Typed) -> None:
    client.before_sign_in("/api/auth/register", {"email": EMAIL, "password": PASSWORD})
    document = {"email": EMAIL, "otp": typed(newest_code())}
    assert client.before_sign_in("/api/auth/verify-email", document).status == 200


def test_a_new_address(client: Client, customer: Customer, typed: Typed) -> None:
    token = factories.session(member(customer)).access
    asked = {"email": "countess@example.com", "password": PASSWORD}
    assert client.post("/api/auth/change-email", asked, token=token).status == 202
    proof = {"email": "countess@example.com", "otp": typed(newest_code())}
    assert client.post("/api/auth/change-email/confirm", proof, token=token).status == 200


def test_a_second_factor_by_mail(client_for: MakeClient, typed: Typed) -> None:
    customer = generous(second_factor="required")
    member(customer)
    client = client_for(customer)
    token = login(client).document["session_token"]
    send(client, token, "email")
    assert second(client, token, "email", code=typed(newest_code())).status == 200


def test_an_authenticator_app(client: Client, customer: Customer, typed: Typed) -> None:
    app = enrol_app(member(customer))
    token = login(client).document["session_token"]
    assert second(client, token, "totp", code=typed(app.now())).status == 200


def test_a_recovery_code(client: Client, customer: Customer, typed: Typed) -> None:
    user = member(customer)
    enrol_app(user)
    code = recovery_codes.make(user, now=timezone.now())[0]
    token = login(client).document["session_token"]
    assert second(client, token, "recovery_code", code=typed(code)).status == 200


def test_a_fixed_code_is_kept_as_it_was_meant(client: Client, customer: Customer) -> None:
    facts = factories.context("system")
    until = timezone.now() + timezone.timedelta(days=1)
    fixed_codes.add(customer=customer, email=EMAIL, code="４０５-173", valid_until=until, context=facts)
    client.request_otp(EMAIL)
    assert client.verify_otp(EMAIL, "405173").status == 200


@pytest.mark.parametrize("nonsense", [405173, 5.5, True, "40", "your code: 405173", "405.173", "\u200b", "4" * 65])
def test_what_can_be_no_code_costs_no_try(client: Client, nonsense: object) -> None:
    """For a known or an unknown address: the refusal is about the form alone."""
    client.request_otp(EMAIL)
    code = newest_code()
    for _ in range(code_sets.BUDGET + 1):
        answer = client.before_sign_in("/api/auth/verify-otp", {"email": EMAIL, "otp": nonsense})
        assert (answer.status, answer.error_type) == (400, "validation_error")
    assert client.verify_otp(EMAIL, code).status == 200
    assert User.objects.count() == 1


def test_a_mistyped_code_still_costs_one(client: Client) -> None:
    client.request_otp(EMAIL)
    code = newest_code()
    for _ in range(code_sets.BUDGET):
        assert client.verify_otp(EMAIL, code[:-1]).error_type == "invalid_otp"
    assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"
