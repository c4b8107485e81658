"""Every call as /api/docs lists it: from the OpenAPI schema."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from apps.api.envelope import Envelope

Schema = Mapping[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")
EXAMPLES: Mapping[str, Any] = {"string": "…", "integer": 0, "number": 0, "boolean": False, "null": None}
FORMATS: Mapping[str, str] = {
    "email": "ada@example.com",
    "date-time": "2026-01-02T03:04:05Z",
    "uuid": "01900000-0000-7000-8000-000000000000",
    "uri": "https://app.example.com",
}
BY_NAME = {
    "email": "ada@example.com",
    "new_email": "ada@example.org",
    "otp": "123456",
    "code": "123456",
    "locale": "en",
}
DEEPEST = 6  # levels of a document: some contain themselves
MARKS = {Envelope.SERVICE: "S", Envelope.TOKEN: "T"}


@dataclass(frozen=True)
class CallRefusal:
    """A status, and the error types that come with it."""

    status: str
    types: tuple[str, ...]


@dataclass(frozen=True)
class Field:
    """A member of a request's document."""

    name: str
    is_required: bool
    about: str


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    said: tuple[str, ...]  # paragraphs
    envelope: str
    mark: str
    query: tuple[str, ...]
    request: str  # an example as JSON, or nothing
    fields: tuple[Field, ...]
    answers: tuple[tuple[str, str], ...]  # a status, and an example
    refusals: tuple[CallRefusal, ...]
    can_be_tried: bool


@dataclass(frozen=True)
class CallGroup:
    name: str
    operations: tuple[Operation, ...]


def groups() -> tuple[CallGroup, ...]:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    examples = _Examples(schema["components"]["schemas"])
    by_tag: dict[str, list[Operation]] = {}
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if method in methods:
                tag = methods[method]["tags"][0]
                by_tag.setdefault(tag, []).append(_operation(method, path, methods[method], examples))
    return tuple(CallGroup(tag, tuple(found)) for tag, found in by_tag.items())


def _operation(method: str, path: str, told: Schema, examples: "_Examples") -> Operation:
    envelope = Envelope(told["x-gatehouse-envelope"])
    content = told.get("requestBody", {}).get("content", {})
    successes = {status: each for status, each in told["responses"].items() if status.startswith("2")}
    return Operation(
        id=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told.get("summary", ""),
        said=_paragraphs(told["description"]),
        envelope=envelope.value,
        mark=MARKS.get(envelope, ""),
        query=tuple(each["name"] for each in told.get("parameters", ()) if each["in"] == "query"),
        request=examples.of_content(content),
        fields=tuple(examples.fields_of(content)),
        answers=tuple((status, examples.of_content(each.get("content", {}))) for status, each in successes.items()),
        refusals=tuple(_refusals(told["responses"])),
        can_be_tried=not path.endswith("/content"),
    )


def _paragraphs(description: str) -> tuple[str, ...]:
    """Without the last one, which explains the envelope: the page does so for all calls."""
    return tuple(description.split("\n\n")[:-1])


def _refusals(responses: Schema) -> Iterable[CallRefusal]:
    for status, answer in responses.items():
        if types := answer.get("x-gatehouse-error-types"):
            yield CallRefusal(status, tuple(types))


class _Examples:
    """Documents that a schema allows, with something in every field."""

    def __init__(self, named: Schema) -> None:
        self._named = named

    def of_content(self, content: Schema) -> str:
        schemas = [each["schema"] for each in content.values() if "schema" in each]
        document = self._of(schemas[0], DEEPEST) if schemas else None
        return json.dumps(document, indent=2, ensure_ascii=False) if isinstance(document, dict | list) else ""

    def fields_of(self, content: Schema) -> Iterable[Field]:
        for each in list(content.values())[:1]:
            schema = self._named.get(each["schema"].get("$ref", "").rpartition("/")[2], each["schema"])
            required = schema.get("required", ())
            for name, member in schema.get("properties", {}).items():
                yield Field(name, name in required, member.get("description", ""))

    def _of(self, schema: Schema, deep: int) -> Any:
        if "$ref" in schema:
            return self._of(self._named[schema["$ref"].rpartition("/")[2]], deep - 1) if deep else {}
        for either in ("allOf", "oneOf", "anyOf"):
            if either in schema:
                return self._of(schema[either][0], deep)
        return self._of_kind(schema, deep)

    def _of_kind(self, schema: Schema, deep: int) -> Any:
        kind = schema.get("type", "object")
        kind = kind[0] if isinstance(kind, list) else kind
        if "enum" in schema:
            return schema["enum"][0]
        if kind == "object":
            members = schema.get("properties", {})
            return {name: BY_NAME.get(name) or self._of(each, deep) for name, each in members.items()}
        if kind == "array":
            return [self._of(schema.get("items", {"type": "string"}), deep)]
        return FORMATS.get(schema.get("format", ""), EXAMPLES.get(kind))
