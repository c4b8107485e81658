"""Errors in the OpenAPI schema: the one form, and for every operation the statuses and types that it may answer with."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent

from apps.api.envelope import Envelope
from apps.api.refusals import Refusals
from apps.core import error_answers, errors
from apps.payloads.errors import EncryptionRequired, InvalidEnvelope, ReplayedRequest, StaleRequest

TYPES = "x-gatehouse-error-types"

OF_ANY_CALL: Refusals = (
    errors.GatehouseError,
    error_answers.MethodNotAllowed,
    error_answers.NotAcceptable,
    error_answers.UnsupportedMediaType,
    errors.PayloadTooLarge,
    error_answers.InternalError,
)
OF_A_BODY: dict[Envelope, Refusals] = {
    Envelope.SERVICE: (EncryptionRequired, InvalidEnvelope, StaleRequest, ReplayedRequest),
    Envelope.TOKEN: (EncryptionRequired, InvalidEnvelope),
    Envelope.PLAIN: (errors.MalformedRequest,),
}
FORM = {
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
                "max_age": {
                    "type": "integer",
                    "description": "with `insufficient_user_authentication`: seconds, how old a proof may be",
                },
            },
        }
    },
}
HEADERS = {
    401: {"WWW-Authenticate": {"description": "RFC 6750, section 3", "required": True, "schema": {"type": "string"}}},
    503: {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}},
    429: {"Retry-After": {"description": "seconds", "required": True, "schema": {"type": "integer"}}},
}


def responses(schema: AutoSchema, refusals: Iterable[type[errors.GatehouseError]]) -> dict[str, Any]:
    """The types of these errors by status, and under `default` what any call may answer with."""
    form = {"application/json": {"schema": _form(schema)}}
    found = {str(status): _response(status, types, form) for status, types in sorted(_by_status(refusals).items())}
    any_call = sorted({error.type for error in OF_ANY_CALL})
    other = {"description": f"Any other error: {_listed(any_call)}.", "content": form, TYPES: any_call}
    return {**found, "default": other}


def _by_status(refusals: Iterable[type[errors.GatehouseError]]) -> dict[int, set[str]]:
    types: dict[int, set[str]] = defaultdict(set)
    for error in refusals:
        types[error.status].add(error.type)
    return types


def _response(status: int, types: set[str], form: dict[str, Any]) -> dict[str, Any]:
    answer = {"description": f"{_listed(sorted(types))}.", "content": form, TYPES: sorted(types)}
    return {**answer, "headers": HEADERS[status]} if status in HEADERS else answer


def _listed(types: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in types)


def _form(schema: AutoSchema) -> dict[str, Any]:
    component = ResolvedComponent(name="Error", type=ResolvedComponent.SCHEMA, schema=FORM, object="Error")
    schema.registry.register_on_missing(component)
    reference: dict[str, Any] = component.ref
    return reference
