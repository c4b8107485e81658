"""C5: whatever is sent to the sign-in endpoints, the answer is a 4xx in the one form, or a success: never a 500."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.users.models import User
from demo.client import Answer, Client
from tests import factories
from tests.conftest import MakeClient

pytestmark = pytest.mark.django_db(transaction=True)

REQUEST, VERIFY = "/api/auth/request-otp", "/api/auth/verify-otp"
TEXT = st.text(st.characters(categories=None), max_size=60)  # lone surrogates and NUL among them
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
EMAILS = st.just("ada@example.com") | st.builds("{}@{}".format, TEXT, st.just("example.com") | TEXT) | JSON
FIELDS = {
    "email": EMAILS,
    "otp": st.just("123456") | st.text(max_size=12) | JSON,
    "purpose": st.just("login") | JSON,
    "locale": st.sampled_from(["de", "en-GB", "zh_Hant"]) | TEXT | JSON,
    "delivery": st.sampled_from(["body", "cookie"]) | JSON,
}
DOCUMENTS = st.fixed_dictionaries({}, optional=FIELDS) | st.dictionaries(TEXT, JSON, max_size=4)
unhurried = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def client(client_for: MakeClient) -> Client:
    """A client of a customer whose limits are too high to get in the test's way."""
    customer = factories.customer(code_resend_after=0)
    names = ("codes_per_email", "codes_per_ip", "tries_per_ip", "tries_per_email", "tries_per_email_and_ip")
    factories.first_limits(customer, *names, count=1_000_000)
    return client_for(customer)


def require_the_one_form(answer: Answer) -> None:
    assert answer.status in (200, 400), answer.document
    if answer.status == 400:
        error = answer.document["error"]
        assert error["type"] in ("validation_error", "invalid_otp", "decryption_failed", "stale_request")
        assert {"code", "type", "message", "timestamp", "request_id"} <= error.keys()


@unhurried
@given(document=DOCUMENTS)
def test_any_document_asking_for_a_code(client: Client, document: dict[str, Any]) -> None:
    require_the_one_form(client.before_sign_in(REQUEST, document))


@unhurried
@given(document=DOCUMENTS)
def test_any_document_giving_a_code(client: Client, document: dict[str, Any]) -> None:
    answer = client.before_sign_in(VERIFY, document)
    require_the_one_form(answer)
    assert answer.status == 400
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "email"),
        ({"email": None}, "email"),
        ({"email": ["ada@example.com"]}, "email"),
        ({"email": {"$ne": ""}}, "email"),
        ({"email": "ada@example.com\0"}, "email"),
        ({"email": "a" * 400 + "@example.com"}, "email"),
        ({"email": "ada@example.com", "purpose": "reset"}, "purpose"),
        ({"email": "ada@example.com", "locale": "x" * 36}, "locale"),
    ],
)
def test_a_wrong_field_is_named(client: Client, document: dict[str, Any], field: str) -> None:
    answer = client.before_sign_in(REQUEST, document)
    assert (answer.status, answer.error_type) == (400, "validation_error")
    assert list(answer.document["error"]["fields"]) == [field]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({}, "otp"),
        ({"otp": ""}, "otp"),
        ({"otp": "1" * 33}, "otp"),
        ({"otp": "\u200b" * 1_000}, "otp"),
        ({"otp": 123456}, "otp"),
        ({"otp": 123456.0}, "otp"),
        ({"otp": True}, "otp"),
        ({"otp": ["123456"]}, "otp"),
        ({"otp": None}, "otp"),
        ({"otp": "123456", "delivery": "pigeon"}, "delivery"),
    ],
)
def test_a_wrong_field_of_a_try_is_named(client: Client, more: dict[str, str], field: str) -> None:
    answer = client.before_sign_in(VERIFY, {"email": "ada@example.com", **more})
    assert (answer.status, answer.error_type) == (400, "validation_error")
    assert list(answer.document["error"]["fields"]) == [field]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("path", [REQUEST, VERIFY])
def test_other_methods_are_refused(client: Client, method: str, path: str) -> None:
    answer = client.call(method, path)
    assert (answer.status, answer.error_type) == (405, "method_not_allowed")
