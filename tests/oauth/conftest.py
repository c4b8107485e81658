"""A customer whose tokens anybody can verify, with a user and registered clients."""

import pytest

from apps.customers.models import Customer
from apps.oauth.models import RegisteredClient
from apps.users.models import User
from tests import factories


@pytest.fixture
def customer(db: None) -> Customer:
    return factories.customer(algorithm="ES256", refresh_grace=30)


@pytest.fixture
def ada(customer: Customer) -> User:
    return factories.user(customer, name="Ada Lovelace")


@pytest.fixture
def client(customer: Customer) -> RegisteredClient:
    return factories.oauth_client(customer)[0]
