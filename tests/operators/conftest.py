"""What tests of the admin start from: a browser in which an administrator is signed in, and rows to look at."""

import pytest
from django.test import Client
from django.utils import timezone

from apps.factors import recovery_codes
from tests import factories
from tests.conftest import MakeClient
from tests.operators.addresses import MODELS, place_of
from tests.operators.signing_in import operator, sign_in


@pytest.fixture
def browser() -> Client:
    operator()
    return sign_in()


@pytest.fixture
def rows(client_for: MakeClient) -> dict[str, str]:
    """A row of as many models as can be: "users/user/" to its id."""
    customer = factories.customer()
    user = factories.user(customer)
    factories.session(user)
    factories.permission(customer, "invoices.read")
    recovery_codes.make(user, now=timezone.now())
    client_for(customer).request_otp("ada@example.com")
    found = {place_of(model): model._default_manager.first() for model in MODELS}
    return {place: str(row.pk) for place, row in found.items() if row}
