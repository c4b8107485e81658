"""How the envelopes look in the OpenAPI schema: documents are described as they are inside, and marked with their envelope."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from apps.payloads.envelope import Envelope
from apps.payloads.parsers import EnvelopeParser

EXPLANATIONS = {
    Envelope.SERVICE: (
        "**Request encrypted to the service** (`S`): the JSON shown, with `iat`, `jti` and `htu`, as a compact JWE in "
        '`{"encrypted": true, "data": "…"}`. The answer is plain.'
    ),
    Envelope.TOKEN: (
        "**Encrypted both ways under the access token** (`T`): the JSON shown travels as a compact JWE in "
        '`{"encrypted": true, "data": "…"}`.'
    ),
    Envelope.PLAIN: "Plain JSON over TLS.",
}
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "type", "message", "timestamp", "request_id"],
            "properties": {
                "code": {"type": "integer", "description": "the HTTP status"},
                "type": {"type": "string", "description": "stable, machine-readable"},
                "message": {"type": "string", "description": "a sentence for a person"},
                "timestamp": {"type": "string", "format": "date-time"},
                "request_id": {"type": "string"},
                "fields": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
                "limit": {"type": "string", "description": "with 429: which limit"},
                "retry_after": {"type": "integer", "description": "with 429: seconds"},
            },
        }
    },
}


class EnvelopeSchema(AutoSchema):
    """DEFAULT_SCHEMA_CLASS."""

    def get_operation(self, *args: Any, **options: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **options)
        if operation is not None:
            operation["x-gatehouse-envelope"] = self._envelope().value
            operation["responses"]["default"] = {
                "description": "An error, in the one form",
                "content": {"application/json": {"schema": ERROR}},
            }
        return operation

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular narrows DRF's signature, too
        return f"{super().get_description()}\n\n{EXPLANATIONS[self._envelope()]}".strip()

    def get_tags(self) -> list[str]:
        return [type(self.view).__module__.split(".")[1].replace("_", " ")]

    def _envelope(self) -> Envelope:
        """A view with parsers of its own (K endpoints) takes its bodies as they are."""
        if EnvelopeParser not in self.view.parser_classes:
            return Envelope.PLAIN
        return getattr(self.view, "envelope", Envelope.TOKEN)


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The API key as a security scheme."""

    target_class = "apps.api_keys.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "header", "name": "X-OTP-API-Key"}


class AccessTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The access token as a security scheme."""

    target_class = "apps.tokens.authentication.TokenAuthentication"
    name = "accessToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
