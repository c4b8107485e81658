"""How the envelopes look in the OpenAPI schema: documents are described as they are inside, and marked with their envelope."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from apps.api import refusals
from apps.api.envelope import Envelope
from apps.api.parsers import EnvelopeParser
from apps.api.refusals import Refusals
from apps.api.schema import error_answers
from apps.api.views import WITH_BODY
from apps.core import errors

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


class EnvelopeSchema(AutoSchema):
    """DEFAULT_SCHEMA_CLASS."""

    def get_operation(self, *args: Any, **options: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **options)
        if operation is not None:
            found = self._refusals(operation)
            if self._envelope() is Envelope.SERVICE:
                _require_body(operation)
            operation["x-gatehouse-envelope"] = self._envelope().value
            operation["responses"].update(error_answers.responses(self, found))
        return operation

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular narrows DRF's signature, too
        return f"{super().get_description()}\n\n{EXPLANATIONS[self._envelope()]}".strip()

    def get_auth(self) -> list[dict[str, Any]]:
        """Before sign-in a request without a key is the default customer's (contract 1.4)."""
        schemes: list[dict[str, Any]] = super().get_auth()
        return [*schemes, {}] if self._envelope() is Envelope.SERVICE else schemes

    def get_tags(self) -> list[str]:
        return [type(self.view).__module__.split(".")[1].replace("_", " ")]

    def _envelope(self) -> Envelope:
        """A view with parsers of its own (K endpoints) takes its bodies as they are."""
        if EnvelopeParser not in self.view.parser_classes:
            return Envelope.PLAIN
        return getattr(self.view, "envelope", Envelope.TOKEN)

    def _refusals(self, operation: dict[str, Any]) -> set[type[errors.GatehouseError]]:
        """What the view says of this method, and what comes before it: parsing, authentication, permissions."""
        places = [
            *self.view.authentication_classes,
            *self.view.permission_classes,
            getattr(self.view, self.method.lower()),
        ]
        said = {error for place in places for error in refusals.of(place)}
        return {*said, *self._before_the_view(operation), errors.TemporarilyUnavailable}

    def _before_the_view(self, operation: dict[str, Any]) -> Refusals:
        parameters = {parameter["in"] for parameter in operation.get("parameters", ())}
        document = "requestBody" in operation
        body = document or (self.method in WITH_BODY and self._envelope() is not Envelope.PLAIN)
        return (
            *(error_answers.OF_A_BODY[self._envelope()] if body else ()),
            *((errors.ValidationFailed,) if document or "query" in parameters else ()),
            *((errors.NotFound,) if "path" in parameters else ()),
        )


def _require_body(operation: dict[str, Any]) -> None:
    """What is encrypted to the service has a body, if only `iat`, `jti` and `htu` (contract 2.1.3)."""
    nothing_more = {"content": {"application/json": {"schema": {"type": "object"}}}}
    operation.setdefault("requestBody", nothing_more)["required"] = True


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The API key as a security scheme: in a header of its own or, where no access token is taken, as a bearer (contract 1.1)."""

    target_class = "apps.api.authentication.api_key.ApiKeyAuthentication"
    name = ["apiKey", "apiKeyAsBearer"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {"type": "apiKey", "in": "header", "name": "X-OTP-API-Key"},
            {"type": "http", "scheme": "bearer", "description": "the API key as a bearer"},
        ]
