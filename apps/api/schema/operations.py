"""Every operation of the OpenAPI schema: documents as they are inside their envelope, marked with it, and the errors to expect."""

from typing import Any

from drf_spectacular.openapi import AutoSchema

from apps.api import refusals
from apps.api.base_views import WITH_BODY
from apps.api.envelope import Envelope
from apps.api.refusals import Refusals
from apps.api.schema import error_answers
from apps.api.schema.summaries import SUMMARIES
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
    Envelope.FORM: "A form over TLS; the answer is JSON, and errors are in the form of RFC 6749.",
}


class EnvelopeSchema(AutoSchema):
    """DEFAULT_SCHEMA_CLASS."""

    def get_operation(self, *args: Any, **options: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **options)
        if operation is not None:
            found = self._refusals(operation)
            if self._envelope() is Envelope.SERVICE:
                _require_body(operation)
            operation["description"] = f"{operation.get('description', '')}\n\n{EXPLANATIONS[self._envelope()]}".strip()
            operation["x-gatehouse-envelope"] = self._envelope().value
            operation["responses"].update(error_answers.responses(self, found, self._envelope()))
        return operation

    def get_summary(self) -> str | None:
        return SUMMARIES.get(self.get_operation_id())

    def get_auth(self) -> list[dict[str, Any]]:
        """Before sign-in a request without a key is the default customer's (contract 1.4)."""
        schemes: list[dict[str, Any]] = super().get_auth()
        return [*schemes, {}] if self._envelope() is Envelope.SERVICE else schemes

    def get_tags(self) -> list[str]:
        """The folder of the view's file; of a file that stands in none, its name."""
        *folders, file = type(self.view).__module__.split(".")[2:]
        return [(folders[-1] if folders else file).replace("_", " ")]

    def _envelope(self) -> Envelope:
        """Views of others (the schema's own) say nothing, and take bodies as they are."""
        return getattr(self.view, "envelope", Envelope.PLAIN)

    def _refusals(self, operation: dict[str, Any]) -> set[type[errors.GatehouseError]]:
        """What the view declares for this method, and what comes before it: parsing, authentication, permissions."""
        places = [
            *self.view.authentication_classes,
            *self.view.permission_classes,
            getattr(self.view, self.method.lower()),
        ]
        declared = {error for place in places for error in refusals.of(place)}
        return {*declared, *self._before_the_view(operation), errors.TemporarilyUnavailable}

    def _before_the_view(self, operation: dict[str, Any]) -> Refusals:
        parameters = {parameter["in"] for parameter in operation.get("parameters", ())}
        document = "requestBody" in operation
        body = document or (self.method in WITH_BODY and self._envelope() in (Envelope.SERVICE, Envelope.TOKEN))
        return (
            *(error_answers.OF_A_BODY[self._envelope()] if body else ()),
            *((errors.ValidationFailed,) if document or "query" in parameters else ()),
            *((errors.NotFound,) if "path" in parameters else ()),
        )


def _require_body(operation: dict[str, Any]) -> None:
    """A request that is encrypted to the service always has a body: at least `iat`, `jti` and `htu` (contract 2.1.3)."""
    nothing_more = {"content": {"application/json": {"schema": {"type": "object"}}}}
    operation.setdefault("requestBody", nothing_more)["required"] = True
