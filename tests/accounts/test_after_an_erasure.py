"""Codes sent to a user who has since been erased are worthless, even if the address has a new account."""

import pytest

from apps.accounts import erasure
from apps.core import actors
from apps.core.valkey import ValkeyUnavailable
from apps.otp import code_store
from apps.users.models import User
from tests import factories
from tests.accounts.registering import STRANGERS, quick, register, verify
from tests.conftest import MakeClient
from tests.otp.reading import newest_code
from tests.signin.entering import EMAIL, PASSWORD, login, member

pytestmark = pytest.mark.django_db(transaction=True)


def erase() -> None:
    user = User.objects.get()
    erasure.erase(customer_id=user.customer_id, user_id=user.id, context=factories.context(actors.SYSTEM))


@pytest.fixture(params=["codes are withdrawn", "Valkey was away"], autouse=True)
def withdrawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Valkey need not hear of it: the mail that carried the code no longer belongs to a user."""

    def away(_places: object) -> None:
        raise ValkeyUnavailable

    if request.param == "Valkey was away":
        monkeypatch.setattr(code_store, "withdraw_all", away)


def test_a_code_for_signing_in_is_refused_like_any_other(client_for: MakeClient) -> None:
    customer = quick()
    client = client_for(customer)
    member(customer)
    client.request_otp(EMAIL)
    code = newest_code()
    erase()
    assert client.verify_otp(EMAIL, code).error_type == "invalid_otp"
    assert not User.objects.exists()


def test_a_code_for_proving_an_address_proves_nothing_of_who_comes_after(client_for: MakeClient) -> None:
    client = client_for(quick())
    register(client)
    code = newest_code()
    erase()
    register(client)
    assert verify(client, code).error_type == "invalid_otp"
    user = User.objects.get()
    assert (user.email, user.email_verified_at) == (EMAIL, None)


def test_it_confirms_no_strangers_password(client_for: MakeClient) -> None:
    customer = quick()
    victim, stranger = client_for(customer, ip="198.51.100.5"), client_for(customer, ip="203.0.113.66")
    register(victim)
    code = newest_code()
    erase()
    register(stranger, STRANGERS)
    assert verify(victim, code, password=PASSWORD).error_type == "invalid_otp"
    assert login(stranger, STRANGERS).status == 401


def test_a_new_code_works(client_for: MakeClient) -> None:
    client = client_for(quick())
    register(client)
    erase()
    register(client)
    assert verify(client, newest_code()).status == 200
    assert User.objects.get().email == EMAIL


def test_another_customers_codes_are_left_alone(client_for: MakeClient) -> None:
    other = quick()
    client = client_for(other)
    client.request_otp(EMAIL)
    code = newest_code()
    member(factories.customer())
    erase()
    assert client.verify_otp(EMAIL, code).status == 200
