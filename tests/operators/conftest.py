"""A browser in which an administrator is signed in."""

import pytest
from django.test import Client

from tests.operators.signing_in import operator, sign_in


@pytest.fixture
def browser() -> Client:
    operator()
    return sign_in()
