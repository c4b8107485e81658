"""Requests with a body of JSON, which all peers take."""

import json
from collections.abc import Mapping

from benchmarks import load

JSON = {"Content-Type": "application/json"}


def post(path: str, body: Mapping[str, str], *, headers: Mapping[str, str] | None = None) -> bytes:
    return load.request("POST", path, headers={**JSON, **(headers or {})}, body=json.dumps(body).encode())
