"""Holds every answer against the OpenAPI schema: its status, its headers, its document (decrypted), the type of its error.

Documents are validated twice: as the schema stands, and closed. Clients must bear members that they do not know; the
service must not answer with members that nobody has documented.
"""

import re
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker

from demo.client import Answer, Client, TokenKeys

SCHEMA = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
TYPES = "x-gatehouse-error-types"
DEFAULT = "default"
JSON = "application/json"


class Undocumented(AssertionError):
    """The service gave an answer that its schema does not document."""


class CheckedClient(Client):
    """A client that fails on the first answer which the schema does not document."""

    def call(self, method: str, path: str, body: bytes = b"", *, keys: TokenKeys | None = None, **more: Any) -> Answer:
        answer = super().call(method, path, body, keys=keys, **more)
        require(answer, readable=keys is not None or not answer.encrypted)
        return answer


def require(answer: Answer, *, readable: bool = True) -> None:
    """Raises Undocumented. Without the token's keys an encrypted document cannot be read: then its status is all."""
    name = operation_of(answer.call)
    if name is None:
        return
    response = _response(name, answer)
    missing = [key for key, header in response.get("headers", {}).items() if _lacks(answer, key, header)]
    if missing:
        raise Undocumented(f"{name} {answer.status}: without {missing}")
    if readable:
        _require_document(name, answer)


def operation_of(call: str) -> str | None:
    """The operation that this call belongs to, as "GET /api/things/{id}"; None if the schema has none for it."""
    method, target = call.split(" ", maxsplit=1)
    path = target.partition("?")[0]
    found = [template for template, pattern in _patterns() if pattern.fullmatch(path)]
    return next((f"{method} {template}" for template in found if method.lower() in SCHEMA["paths"][template]), None)


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Every path of the schema; those without parameters first."""
    templates = sorted(SCHEMA["paths"], key=lambda template: "{" in template)
    return [(template, re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)))) for template in templates]


def _responses(name: str) -> dict[str, Any]:
    method, path = name.split(" ")
    responses: dict[str, Any] = SCHEMA["paths"][path][method.lower()]["responses"]
    return responses


def _response(name: str, answer: Answer) -> dict[str, Any]:
    """What the schema says of this status. `default` is for errors alone, and for those that it names."""
    responses = _responses(name)
    response: dict[str, Any] = responses.get(str(answer.status), {})
    if answer.status < 400:
        known = bool(response)
    else:
        known = answer.error_type is None or answer.error_type in _types(response) + _types(responses[DEFAULT])
    if not known:
        raise Undocumented(f"{name}: {answer.status} {answer.error_type or ''}")
    return response


def _types(response: dict[str, Any]) -> list[str]:
    types: list[str] = response.get(TYPES, [])
    return types


def _lacks(answer: Answer, header: str, described: dict[str, Any]) -> bool:
    return bool(described.get("required")) and header.lower() not in answer.headers


def _require_document(name: str, answer: Answer) -> None:
    status = str(answer.status) if str(answer.status) in _responses(name) else DEFAULT
    documented = _responses(name)[status].get("content")
    if documented is None:
        if answer.document is not None:
            raise Undocumented(f"{name} {answer.status}: {answer.document}")
        return
    if JSON not in documented:  # a stream
        if answer.headers["content-type"] not in documented:
            raise Undocumented(f"{name} {answer.status}: {answer.headers['content-type']}")
        return
    for validator in _validators(name, status):
        wrong = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(answer.document)]
        if wrong:
            raise Undocumented(f"{name} {answer.status}: {wrong}")


@cache
def _validators(name: str, status: str) -> list[Draft202012Validator]:
    """Validators for this answer's document: the schema as it is, and closed."""
    document = _responses(name)[status]["content"][JSON]["schema"]
    open_schema = {**document, "components": SCHEMA["components"]}
    closed_schema = {**closed(document), "components": _closed_components()}
    return [Draft202012Validator(schema, format_checker=FormatChecker()) for schema in (open_schema, closed_schema)]


@cache
def _closed_components() -> Any:
    return closed(SCHEMA["components"])


def closed(schema: Any) -> Any:
    """The schema, with objects that allow only the members it names."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {key: closed(part) for key, part in schema.items()}
    names_members = schema.get("type") == "object" and "properties" in schema
    return {"additionalProperties": False, **parts} if names_members else parts
