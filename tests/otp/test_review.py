"""What a review of sign-in by code found."""

import time

import pytest

from tests import factories
from tests.conftest import MakeClient

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_customers_short_window_does_not_empty_the_log_of_the_others(client_for: MakeClient) -> None:
    """C6: tries of one network are counted across customers; one with a window of its own once wiped what they had counted."""
    one, other = factories.customer(), factories.customer()
    factories.limit(one, "tries_per_ip", 2)
    factories.limit(other, "tries_per_ip", 1000, 1)
    guess, reset = client_for(one), client_for(other)
    for number in range(2):
        assert guess.verify_otp(f"u{number}@example.com", "000000").error_type == "invalid_otp"
    time.sleep(1.1)
    assert reset.verify_otp("somebody@example.com", "000000").error_type == "invalid_otp"
    assert guess.verify_otp("another@example.com", "000000").status == 429


def test_a_further_code_too_soon_says_which_limit_it_was(client_for: MakeClient) -> None:
    """C6: a 429 says which limit it was."""
    client = client_for(factories.customer())
    client.request_otp("ada@example.com")
    again = client.request_otp("ada@example.com")
    assert (again.status, again.error_type) == (429, "resend_too_soon")
    assert again.document["error"]["limit"] == "resend"
