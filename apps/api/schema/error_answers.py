"""Errors in the OpenAPI schema: the one form, and for every operation the statuses and types that it may answer with."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent

from apps.api import oauth_errors
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
    Envelope.FORM: (errors.MalformedRequest,),
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
OAUTH_FORM = {
    "type": "object",
    "required": ["error", "error_description", "request_id"],
    "properties": {
        "error": {"type": "string", "description": "stable, machine-readable: RFC 6749 section 5.2, or a type of ours"},
        "error_description": {"type": "string", "description": "a sentence for developers, in English"},
        "request_id": {"type": "string"},
    },
}
HEADERS = {
    401: {"WWW-Authenticate": {"description": "RFC 6750, section 3", "required": True, "schema": {"type": "string"}}},
    503: {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}},
    429: {"Retry-After": {"description": "seconds", "required": True, "schema": {"type": "integer"}}},
}


def responses(
    schema: AutoSchema, refusals: Iterable[type[errors.GatehouseError]], envelope: Envelope
) -> dict[str, Any]:
    """The types of these errors by status, and under `default` what any call may answer with."""
    form = {"application/json": {"schema": _form(schema, envelope)}}
    by_status = _by_status(refusals, envelope)
    found = {str(status): _response(status, types, form) for status, types in sorted(by_status.items())}
    any_call = sorted({_name(error, envelope) for error in OF_ANY_CALL})
    other = {"description": f"Any other error: {_listed(any_call)}.", "content": form, TYPES: any_call}
    return {**found, "default": other}


def _by_status(refusals: Iterable[type[errors.GatehouseError]], envelope: Envelope) -> dict[int, set[str]]:
    types: dict[int, set[str]] = defaultdict(set)
    for error in refusals:
        types[error.status].add(_name(error, envelope))
    return types


def _name(error: type[errors.GatehouseError], envelope: Envelope) -> str:
    return oauth_errors.name_of(error) if envelope is Envelope.FORM else error.type


def _response(status: int, types: set[str], form: dict[str, Any]) -> dict[str, Any]:
    answer = {"description": f"{_listed(sorted(types))}.", "content": form, TYPES: sorted(types)}
    return {**answer, "headers": HEADERS[status]} if status in HEADERS else answer


def _listed(types: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in types)


def _form(schema: AutoSchema, envelope: Envelope) -> dict[str, Any]:
    name, form = ("OAuthError", OAUTH_FORM) if envelope is Envelope.FORM else ("Error", FORM)
    component = ResolvedComponent(name=name, type=ResolvedComponent.SCHEMA, schema=form, object=name)
    schema.registry.register_on_missing(component)
    reference: dict[str, Any] = component.ref
    return reference
