"""The module under Node: where it lies, and how a script asks it."""

import json
import subprocess
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.payloads.test_node_interop import INTEROP

MODULE: Path = settings.BASE_DIR / "apps" / "portal" / "static" / "gatehouse"
HERE = Path(__file__).parent


def ask(node: str, *jobs: dict[str, Any]) -> list[dict[str, Any]]:
    """The results of jobs in cryptography.mjs: each {"result"} or {"error"}."""
    done = subprocess.run(
        [node, HERE / "cryptography.mjs", MODULE, INTEROP],
        input=json.dumps(jobs).encode(),
        capture_output=True,
        check=True,
        timeout=300,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def results(node: str, *jobs: dict[str, Any]) -> list[Any]:
    answers = ask(node, *jobs)
    assert not [answer for answer in answers if "error" in answer], answers
    return [answer["result"] for answer in answers]
