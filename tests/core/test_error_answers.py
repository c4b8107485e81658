"""C5: every error has the one form, wherever it was raised, and no input causes a 500."""

import json
import logging
import re
from typing import Any

import pytest
from django.test import Client, override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.failing_urls import SECRET_IN_MEMORY

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.api.failing_urls")]
PLACES = ["/api/fail/", "/fail/"]  # in DRF's hands, and outside of them


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def error_in(response: Any) -> dict[str, Any]:
    """The error, once its form is as the contract says."""
    assert response["Content-Type"] == "application/json"
    document = json.loads(response.content)
    assert list(document) == ["error"]
    error: dict[str, Any] = document["error"]
    assert error["code"] == response.status_code
    assert re.fullmatch(r"[a-z_]+", error["type"])
    assert error["message"].endswith(".")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", error["timestamp"])
    assert error["request_id"] == response["X-Request-ID"]
    assert "internal detail" not in response.content.decode()
    return error


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("denied", 403, "permission_denied"),
        ("gone", 404, "not_found"),
        ("suspicious", 400, "bad_request"),
        ("bad-request", 400, "bad_request"),
        ("nul", 400, "validation_error"),
        ("data", 400, "validation_error"),
        ("database", 503, "temporarily_unavailable"),
        ("interface", 503, "temporarily_unavailable"),
        ("bug", 500, "internal_error"),
    ],
)
def test_every_failure_has_the_one_form_everywhere(
    client: Client, place: str, name: str, status: int, kind: str
) -> None:
    """C5: in the API and outside of it."""
    response = client.get(place + name)
    assert (response.status_code, error_in(response)["type"]) == (status, kind)
    assert "table" not in response.content.decode()


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("rate", 429, "rate_limited"),
        ("validation", 400, "validation_error"),
        ("validation-bare", 400, "validation_error"),
        ("parse", 400, "malformed_request"),
        ("not-authenticated", 401, "authentication_required"),
        ("authentication", 401, "bad_request"),
        ("drf-denied", 403, "permission_denied"),
        ("unavailable", 503, "temporarily_unavailable"),
    ],
)
def test_every_failure_of_the_api_has_the_one_form(client: Client, name: str, status: int, kind: str) -> None:
    response = client.get("/api/fail/" + name)
    assert (response.status_code, error_in(response)["type"]) == (status, kind)


def test_a_429_names_its_limit_and_when_to_come_back(client: Client) -> None:
    """C5, C6: whole seconds, rounded up, in the body and in the header."""
    response = client.get("/api/fail/rate")
    error = error_in(response)
    assert (error["limit"], error["retry_after"], response["Retry-After"]) == ("codes_per_ip", 13, "13")


def test_a_validation_error_names_the_fields(client: Client) -> None:
    """C5: `fields` for validation errors; nested ones by their path."""
    assert error_in(client.get("/api/fail/validation"))["fields"] == {
        "email": ["Wrong."],
        "address.city": ["Missing."],
        "list.1.a": ["b"],
    }
    assert error_in(client.get("/api/fail/validation-bare"))["fields"] == {"non_field_errors": ["Wrong."]}


def test_other_errors_carry_no_fields_nor_limits(client: Client) -> None:
    assert set(error_in(client.get("/api/fail/gone"))) == {"code", "type", "message", "timestamp", "request_id"}


@pytest.mark.parametrize(
    ("name", "challenge"), [("not-authenticated", "Bearer"), ("authentication", 'Bearer error="invalid_token"')]
)
def test_a_401_says_how_to_authenticate(client: Client, name: str, challenge: str) -> None:
    """C5: RFC 6750's `error`, which section 3.1 leaves out when nothing was presented."""
    assert client.get(f"/api/fail/{name}")["WWW-Authenticate"] == challenge


def test_messages_are_in_the_callers_language(client: Client) -> None:
    """C5: `message` is translatable; `type` is not."""
    german = error_in(client.get("/api/fail/gone", headers={"Accept-Language": "de"}))
    english = error_in(client.get("/api/fail/gone"))
    assert german["type"] == english["type"]
    assert german["message"] != english["message"]


@pytest.mark.parametrize("place", [*PLACES, "/admin/fail/"])
def test_a_bug_is_logged_with_its_trace_but_shown_to_nobody(
    client: Client, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    """C2.4.3: local variables, which may hold secrets, are not logged."""
    response = client.get(place + "bug", headers={"X-Request-ID": "trace-of-the-bug"})
    shown = response.content.decode()
    assert response.status_code == 500
    assert "RuntimeError" not in shown
    assert "a bug" not in shown
    logged = [str(record.msg) for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(logged) == 1
    assert "RuntimeError: a bug" in logged[0]
    assert "fail_unexpectedly" in logged[0]
    assert "trace-of-the-bug" in logged[0]
    assert SECRET_IN_MEMORY not in logged[0]


@pytest.mark.parametrize("place", PLACES)
def test_a_database_that_is_away_is_logged(client: Client, place: str, caplog: pytest.LogCaptureFixture) -> None:
    client.get(place + "database")
    assert any("OperationalError" in str(record.msg) for record in caplog.records if record.levelno >= logging.ERROR)


def test_under_admin_people_get_pages(client: Client) -> None:
    for name, status in (("denied", 403), ("gone", 404), ("bug", 500)):
        response = client.get(f"/admin/fail/{name}")
        assert (response.status_code, response["Content-Type"]) == (status, "text/html; charset=utf-8")


# --- What a caller may send -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/nowhere", "/api/nowhere", "/%ff%fe", "/%00", "/api/auth/me/", "/" + "x" * 5000, "/nowhere//", "/..%2f"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "OPTIONS", "BREW"])
def test_an_unknown_path_is_a_404(client: Client, path: str, method: str) -> None:
    assert error_in(client.generic(method, path))["type"] == "not_found"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_an_unsupported_method_is_a_405_that_names_the_supported(client: Client, method: str) -> None:
    response = client.generic(method, "/api/fail/gone")
    assert error_in(response)["type"] == "method_not_allowed"
    assert {"GET", "POST"} <= set(response["Allow"].split(", "))


def test_head_answers_like_get_without_a_body(client: Client) -> None:
    response = client.head("/api/fail/gone")
    assert (response.status_code, response.content) == (404, b"")


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "nonsense", "", "é"]
)
def test_another_media_type_is_a_415(client: Client, media_type: str) -> None:
    response = client.generic("POST", "/api/fail/gone", b"a=b", media_type)
    assert (response.status_code, error_in(response)["type"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("parameters", ["", "; charset=utf-8", ";charset=nonsense", " ; x"])
def test_json_is_json_whatever_its_parameters(client: Client, parameters: str) -> None:
    response = client.generic("POST", "/api/fail/gone", b"{}", f"application/json{parameters}")
    assert error_in(response)["type"] == "encryption_required"  # read, and found plain


@pytest.mark.parametrize("length", [64 * 1024 + 1, 300 * 1024])
def test_a_body_over_64_kib_is_a_413(client: Client, length: int) -> None:
    """C2.1.4: a body is at most 64 KiB."""
    response = client.generic("POST", "/api/fail/gone", b" " * length, "application/json")
    assert (response.status_code, error_in(response)["type"]) == (413, "payload_too_large")


@pytest.mark.parametrize("length", ["-1", "nonsense", "", "0x10", "1"])
def test_a_wrong_content_length_is_no_500(client: Client, length: str) -> None:
    response = client.generic("POST", "/api/fail/gone", b'{"a": 1}', "application/json", CONTENT_LENGTH=length)
    assert 400 <= response.status_code < 500 or response.status_code == 200, response.content


@pytest.mark.parametrize("path", ["/api/fail/gone", "/fail/gone", "/healthz", "/api/auth/me", "/.well-known/jwks.json"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:99999", "a b", "[", "é", "x" * 300, ""])
def test_a_broken_host_is_no_500(client: Client, path: str, host: str) -> None:
    assert client.get(path, headers={"Host": host}).status_code < 500


@pytest.mark.parametrize("host", ["evil.example", "evil.example:99999", "["])
def test_where_an_address_is_built_from_the_host_a_foreign_one_is_refused(host: str) -> None:
    """As by the redirect to TLS."""
    with override_settings(SECURE_SSL_REDIRECT=True):
        response = Client(raise_request_exception=False).get("/api/auth/me", headers={"Host": host})
    assert (response.status_code, error_in(response)["type"]) == (400, "bad_request")
    assert "evil" not in response.content.decode()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    path=st.sampled_from(["/api/auth/me", "/api/auth/sessions", "/api/auth/refresh", "/api/sandbox/messages"])
    | st.text().map("/api/{}".format),
    query=st.text(max_size=30),
    method=st.sampled_from(["GET", "POST", "PATCH", "DELETE", "OPTIONS", "HEAD"]),
    body=st.binary(max_size=80)
    | st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    ).map(lambda value: json.dumps(value).encode()),
    authorization=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60),
)
def test_no_input_yields_a_500(
    client: Client, path: str, query: str, method: str, body: bytes, authorization: str
) -> None:
    """C5."""
    response = client.generic(
        method, path.encode("utf-8", "surrogatepass").decode("latin-1") if not path.isascii() else path, body, "application/json",
        QUERY_STRING=query.encode("utf-8", "replace").decode("latin-1"), HTTP_AUTHORIZATION=authorization,
    )  # fmt: skip
    assert response.status_code < 500, response.content
    if response.status_code >= 400 and method != "HEAD":
        error_in(response)
