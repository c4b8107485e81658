"""The published schema: valid OpenAPI 3.1, documents as they are inside, each call marked with its envelope."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.conftest import MakeClient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def schema(client_for: MakeClient) -> dict[str, Any]:
    answer = client_for(None).call("GET", "/api/schema?format=json")
    assert answer.status == 200
    return dict(answer.document)


def test_the_schema_is_valid(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(schema).validate()


def test_each_call_says_its_envelope(schema: dict[str, Any]) -> None:
    """C2.1.1, C2.2.1: which bodies are encrypted, and how."""
    found = {
        f"{method.upper()} {path}": operation["x-gatehouse-envelope"]
        for path, item in schema["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post", "put", "patch", "delete")
    }
    expected = {
        "POST /api/auth/request-otp": "service",
        "POST /api/auth/verify-otp": "service",
        "POST /api/auth/refresh": "plain",
        "POST /api/auth/logout": "token",
        "GET /api/auth/me": "token",
        "PATCH /api/auth/me": "token",
        "GET /api/auth/sessions": "token",
        "GET /api/sandbox/messages": "plain",
    }
    assert found.items() >= expected.items()


def test_each_call_says_who_may_make_it_and_how_it_fails(schema: dict[str, Any]) -> None:
    schemes = schema["components"]["securitySchemes"]
    assert schemes["apiKey"] == {"type": "apiKey", "in": "header", "name": "X-OTP-API-Key"}
    assert schemes["accessToken"] == {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    me = schema["paths"]["/api/auth/me"]["get"]
    assert {"accessToken": []} in me["security"]
    asked = schema["paths"]["/api/auth/request-otp"]["post"]
    assert {"apiKey": []} in asked["security"]
    for operation in (me, asked):
        for status in ("400", "401", "403", "503", "default"):
            form = operation["responses"][status]["content"]["application/json"]["schema"]
            assert form == {"$ref": "#/components/schemas/Error"}
    error = schema["components"]["schemas"]["Error"]["properties"]["error"]
    assert set(error["required"]) == {"code", "type", "message", "timestamp", "request_id"}


def test_documents_are_described_as_they_are_inside(schema: dict[str, Any]) -> None:
    reference = schema["paths"]["/api/auth/request-otp"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    fields = schema["components"]["schemas"][reference["$ref"].rpartition("/")[2]]["properties"]
    assert {"email", "purpose", "locale"} <= set(fields)
