"""The schema tells the truth: each operation's answers are of a documented status and shape, errors are of a documented type.

Every client of the tests holds its answers against the schema. Here each operation succeeds, in every shape it has.
"""

from typing import Any

import pytest

from demo.client import Answer
from tests import factories
from tests.conftest import MakeClient
from tests.contract import documented
from tests.contract.documented import SCHEMA, CheckedClient, Undocumented
from tests.contract.ways import WAYS, Place, Way

ERROR = {
    "code": 400,
    "type": "invalid_otp",
    "message": "This code is not valid.",
    "timestamp": "2026-01-02T03:04:05Z",
    "request_id": "0123456789abcdef",
}
SENT = {"success": True, "expires_in": 600, "resend_in": 30, "message": "A code is on its way."}
TOKENS = {"access_token": "a", "refresh_token": "b", "token_type": "Bearer", "expires_in": 25200}


def answer(call: str, status: int, document: Any, **headers: str) -> Answer:
    return Answer(call, status, headers, document, encrypted=False, wire=b"")


def forget_the_schema() -> None:
    """What has been made of it: a test has changed it."""
    documented._closed_components.cache_clear()
    documented._validators.cache_clear()


def failed(call: str, status: int, **facts: Any) -> Answer:
    return answer(call, status, {"error": {**ERROR, "code": status, **facts}}, **{"www-authenticate": "Bearer"})


@pytest.fixture
def place(client_for: MakeClient, settings: Any) -> Place:
    settings.SMS_BACKEND = "apps.mail.sms_transports.Console"
    return Place(client_for)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_success_is_answered_as_documented(place: Place, way: Way) -> None:
    found = way.go(place)
    assert 200 <= found.status < 300, found.document
    assert documented.operation_of(found.call) == way.operation


def test_every_operation_and_every_status_of_success_has_its_way() -> None:
    assert {way.operation for way in WAYS} == {
        f"{method.upper()} {path}" for path, item in SCHEMA["paths"].items() for method in item
    }
    several = {
        f"{method} {path}": statuses
        for path, item in SCHEMA["paths"].items()
        for method, operation in item.items()
        if len(statuses := [status for status in operation["responses"] if status.startswith("2")]) != 1
    }
    assert not several, "else ways to each of them are needed"


@pytest.mark.django_db(transaction=True)
def test_the_clients_of_the_tests_look_at_every_answer(client_for: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that read answers under a token, too."""
    token = factories.session(factories.user(factories.customer())).access
    assert client_for(None).get("/api/auth/me", token=token).status == 200
    monkeypatch.delitem(SCHEMA["components"]["schemas"]["ProfileAnswer"]["properties"], "locale")
    forget_the_schema()
    with pytest.raises(Undocumented, match="locale"):
        client_for(None).get("/api/auth/me", token=token)
    forget_the_schema()
    assert isinstance(client_for(None), CheckedClient)


@pytest.mark.parametrize(
    "right",
    [
        answer("POST /api/auth/request-otp", 200, SENT),
        answer("POST /api/auth/refresh", 200, TOKENS),
        failed("POST /api/auth/verify-otp", 400),
        failed("POST /api/auth/verify-otp", 415, type="unsupported_media_type"),
        answer("PUT /api/auth/verify-otp", 418, "of no operation"),
        answer("GET /elsewhere", 418, "of no operation"),
    ],
)
def test_what_is_documented_passes(right: Answer) -> None:
    documented.require(right)


@pytest.mark.parametrize(
    "wrong",
    [
        answer("POST /api/auth/request-otp", 202, SENT),  # a status that is not its own
        answer("POST /api/auth/request-otp", 204, None),
        answer("DELETE /api/auth/2fa/totp", 204, None),
        answer("POST /api/auth/request-otp", 200, None),
        answer("POST /api/auth/request-otp", 200, {**SENT, "resend_in": "30"}),
        answer("POST /api/auth/request-otp", 200, {**SENT, "known": True}),  # a member that nobody has documented
        answer("POST /api/auth/request-otp", 200, {"success": True}),
        answer("POST /api/auth/refresh", 200, {**TOKENS, "csrf_token": "c"}),  # neither of two shapes
        answer("GET /api/auth/sessions", 200, {"results": [{"id": "7"}], "next": None}),
        failed("POST /api/auth/verify-otp", 404, type="not_found"),
        failed("POST /api/auth/verify-otp", 400, type="invalid_passkey"),  # an error that is not its own
        failed("POST /api/auth/verify-otp", 409, type="invalid_otp"),
        failed("POST /api/auth/verify-otp", 400, timestamp="yesterday"),
        failed("POST /api/auth/verify-otp", 400, hint="7"),
        failed("POST /api/auth/verify-otp", 429, type="rate_limited", limit="tries", retry_after=7),  # no Retry-After
        answer("POST /api/auth/verify-otp", 400, {"detail": "no"}),
        answer("POST /api/auth/verify-otp", 400, None),
    ],
)
def test_what_is_not_documented_fails(wrong: Answer) -> None:
    with pytest.raises(Undocumented):
        documented.require(wrong)


HEADERS_ALONE = {("/verify", "204")}


def test_no_operation_that_answers_with_a_body_is_documented_without_one() -> None:
    for path, item in SCHEMA["paths"].items():
        for method, operation in item.items():
            for status, response in operation["responses"].items():
                without_body = (path, status) in HEADERS_ALONE
                assert ("content" in response) != without_body, (method, path, status)
                assert (status == "204") == without_body, (method, path)


def test_each_operation_says_by_what_its_caller_is_known() -> None:
    """C1.1, C1.4, C3.8: an API key, or none; an access token, or a browser's cookie with its proof."""
    found = {
        "service": [{"apiKey": []}, {"apiKeyAsBearer": []}, {}],
        "token GET": [{"accessToken": []}, {"accessCookie": []}],
        "token": [{"accessToken": []}, {"accessCookie": [], "csrfToken": []}],
        "form": [{"oauthClient": []}, {}],
    }
    for item in SCHEMA["paths"].values():
        for method, operation in item.items():
            kind = operation["x-gatehouse-envelope"]
            if kind != "plain":
                expected = list(found["token GET" if (kind, method) == ("token", "get") else kind])
                if operation["operationId"] == "logout":  # C3.8: the refresh cookie will do
                    expected.append({"refreshCookie": []})
                assert operation["security"] == expected
    paths = SCHEMA["paths"]
    for path in ("/api/auth/introspect", "/api/auth/revoke", "/api/internal/verify-user"):
        assert paths[path]["post"]["security"] == [{"apiKey": []}, {"apiKeyAsBearer": []}]
    assert {} in paths["/api/auth/refresh"]["post"]["security"]
    assert {"refreshCookie": [], "csrfToken": []} in paths["/api/auth/refresh"]["post"]["security"]
