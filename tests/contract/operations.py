"""Every operation of the OpenAPI schema, and how a client sends its documents: encrypted as the contract says."""

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any
from urllib.parse import quote, urlencode

import schemathesis

from demo.client import Answer, Client, TokenKeys, envelope
from tests.contract.documented import SCHEMA

NOT_DRAWN = ("header", "cookie")  # a client sends its own


def _to_draw_from() -> dict[str, Any]:
    """The schema with what is sent as it is drawn: paths, queries and documents. To draw keys and tokens takes as long as these do."""
    drawn: dict[str, Any] = deepcopy(SCHEMA)
    for operation in (each for methods in drawn["paths"].values() for each in methods.values()):
        operation["security"] = []
        parameters = operation.pop("parameters", [])
        if kept := [each for each in parameters if each["in"] not in NOT_DRAWN]:
            operation["parameters"] = kept
    return drawn


OPERATIONS = {
    f"{found.ok().method.upper()} {found.ok().path}": found.ok()
    for found in schemathesis.openapi.from_dict(_to_draw_from()).get_all_operations()
}


def envelope_of(name: str) -> str:
    """ "service", "token", "plain" or "form"."""
    method, path = name.split(" ")
    kind: str = SCHEMA["paths"][path][method.lower()]["x-gatehouse-envelope"]
    return kind


def address(name: str, path_parameters: Mapping[str, Any] | None, query: Mapping[str, Any] | None) -> str:
    """The path with its parameters, percent-encoded, and the query."""
    path = name.split(" ")[1]
    for key, value in (path_parameters or {}).items():
        path = path.replace(f"{{{key}}}", quote(str(value).encode(errors="replace"), safe=""))
    pairs = {key: str(value).encode(errors="replace") for key, value in (query or {}).items()}
    return f"{path}?{urlencode(pairs)}" if pairs else path


def send(client: Client, name: str, target: str, document: Any, *, token: str) -> Answer:
    """The document, in the envelope of its operation; bytes go as they are."""
    method, kind = name.split(" ", maxsplit=1)[0], envelope_of(name)
    path = target.partition("?")[0]
    headers = {"Authorization": f"Bearer {token}"} if kind == "token" else {}
    keys = TokenKeys(token) if kind == "token" else None
    if document is None:
        body = b""
    elif isinstance(document, bytes):
        body = document
    elif kind == "service":
        stamped = client.stamped(document, path) if isinstance(document, dict) else document
        body = envelope(client.seal_to_service(stamped))
    elif kind == "form":
        return _send_form(client, method, target, document)
    elif keys is not None:
        body = envelope(keys.seal(document, info=f"request {method} {path}"))
    else:
        body = json.dumps(document).encode()
    return client.call(method, target, body, headers=headers, keys=keys, sent_document=document)


def _send_form(client: Client, method: str, target: str, document: Any) -> Answer:
    """Members as they are in a form: whatever they were, they are texts there."""
    pairs = document.items() if isinstance(document, dict) else [("member", document)]
    body = urlencode([(_text(name), _text(value)) for name, value in pairs]).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return client.call(method, target, body, headers=headers, sent_document=document)


def _text(value: object) -> bytes:
    return str(value).encode("utf-8", "surrogatepass")
