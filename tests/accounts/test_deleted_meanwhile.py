"""A customer is deleted while somebody is on the way in: the answer is that of a suspended one, and not "try again" (503)."""

from collections.abc import Callable

import pytest

from apps.customers import keyring
from apps.customers.models import Customer, SigningSecret
from apps.tokens import minting
from apps.tokens.models import Session
from tests import factories, races
from tests.accounts.test_customer_deletion import delete, deleting
from tests.conftest import MakeClient
from tests.otp.reading import newest_code
from tests.signin.entering import EMAIL

pytestmark = pytest.mark.django_db(transaction=True)
Interrupt = Callable[[Callable[[], object]], None]


@pytest.fixture
def before_signing(monkeypatch: pytest.MonkeyPatch) -> Interrupt:
    """Let this happen once, on a connection of its own, in a process that knows no secret of the customer's yet."""

    def interrupt(happens: Callable[[], object]) -> None:
        find = minting.signing_keys

        def interrupted(*which: object) -> object:
            monkeypatch.setattr(minting, "signing_keys", find)
            races.at_once(1, lambda _: happens())
            keyring.memory.clear()
            return find(*which)  # type: ignore[arg-type]

        monkeypatch.setattr(minting, "signing_keys", interrupted)

    return interrupt


def lose_its_secrets(customer: Customer) -> None:
    """As far as the deletion comes beside a sign-in, for which it waits where both need the code's mail."""
    deleting(customer)
    SigningSecret.objects.of(customer.id).delete()


def test_who_signs_in_while_the_secrets_go_is_not_told_to_try_again(
    client_for: MakeClient, before_signing: Interrupt
) -> None:
    customer = factories.customer()
    client = client_for(customer)
    client.request_otp(EMAIL)
    before_signing(lambda: lose_its_secrets(customer))
    refused = client.verify_otp(EMAIL, newest_code())
    assert (refused.status, refused.error_type) == (403, "customer_suspended")
    assert not Session.objects.exists()


def test_who_refreshes_while_the_customer_goes_is_told_the_same(
    client_for: MakeClient, before_signing: Interrupt
) -> None:
    """A refresh commits before it signs, so that nothing of the customer's need be left."""
    customer = factories.customer()
    pair = factories.session(factories.user(customer))
    client = client_for(customer)
    before_signing(lambda: delete(customer))
    refused = client.refresh(pair.refresh)
    assert (refused.status, refused.error_type) == (403, "customer_suspended")
    assert not Customer.objects.filter(id=customer.id).exists()


def test_a_secret_that_is_missing_otherwise_is_an_outage(client_for: MakeClient, before_signing: Interrupt) -> None:
    customer = factories.customer()
    pair = factories.session(factories.user(customer))
    before_signing(lambda: SigningSecret.objects.of(customer.id).delete())
    assert client_for(customer).refresh(pair.refresh).status == 503
