"""C2.4.3: one JSON object a line, with the request's id, and no secret in it, however it got there."""

import json
import logging
import os
import sys
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.log_lines import rendered
from apps.core.redaction import REDACTED, SECRET_VALUES, redact, redact_text
from tests import warm
from tests.api.failing_urls import SECRET_IN_MEMORY, fail_unexpectedly

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
JWE = "eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVydGV4dA.dGFn"
API_KEY = "ghk_live_0123456789ab_" + "A" * 49
NAMES = [
    "authorization", "token", "access_token", "otp", "code", "recovery_code", "password", "new_password", "passphrase",
    "api_key", "api-key", "X-OTP-API-Key", "apiKey", "secret", "client_secret", "cookie", "Set-Cookie", "private_jwk",
    "seed", "data", "body", "prk", "payload_key_prk", "credential", "jwe",
]  # fmt: skip


def line(event: str, **facts: Any) -> dict[str, Any]:
    """What a log call writes: through the very formatter of the process's handler."""
    formatter = next(
        handler.formatter
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
    )
    record = logging.LogRecord("tests", logging.INFO, __file__, 1, event, (), facts.pop("exc_info", None))
    text = formatter.format(record)
    assert "\n" not in text
    document: dict[str, Any] = json.loads(text)
    return document


@pytest.mark.parametrize("name", NAMES)
def test_what_is_named_like_a_secret_is_redacted_at_any_depth(name: str) -> None:
    event = {
        "event": "x",
        name: "hunter2",
        "request": {"headers": [{name: "hunter2"}]},
        "deep": ({"a": {name: {"b": "hunter2"}}},),
    }
    assert "hunter2" not in json.dumps(redact(event))


@pytest.mark.parametrize(
    "name", ["status", "status_code", "path", "method", "key_id", "api_key_id", "customer_id", "milliseconds", "event"]
)
def test_what_operators_need_is_kept(name: str) -> None:
    assert redact({name: "kept"}) == {name: "kept"}


@pytest.mark.parametrize("secret", [JWT, JWE, API_KEY, API_KEY.replace("live", "test")])
@pytest.mark.parametrize(
    "holder",
    [
        str,
        lambda text: f"GET /?t={text} failed",
        lambda text: [text],
        lambda text: {"x": {text}},
        str.encode,
        ValueError,
    ],
)
def test_what_looks_like_a_token_or_key_is_redacted_under_any_name(secret: str, holder: Any) -> None:
    shown = json.dumps(redact({"event": holder(secret), "note": holder(secret)}))
    assert secret not in shown
    assert REDACTED in shown


def test_what_is_too_deep_to_look_into_is_not_shown() -> None:
    deep: Any = {"password": "hunter2"}
    for _ in range(30):
        deep = {"more": deep}
    assert "hunter2" not in str(redact({"event": deep}))


@given(
    text=st.text(max_size=30) | st.from_regex(SECRET_VALUES) | st.from_regex(r"(ghk_|eyJ|\\.|a|_|-)*", fullmatch=True)
)
def test_to_look_for_the_marks_first_hides_no_less(text: str) -> None:
    assert redact_text(text) == SECRET_VALUES.sub(REDACTED, text)


VALUES = (
    st.none() | st.text(max_size=9) | st.binary(max_size=9) | st.floats() | st.sets(st.text(max_size=3), max_size=2)
)
NESTED = st.lists(VALUES, max_size=2) | st.dictionaries(st.text(max_size=5) | st.integers(), VALUES, max_size=2)


@settings(max_examples=100, deadline=None)
@given(event=st.dictionaries(st.text(max_size=9), VALUES | NESTED, max_size=3))
def test_whatever_is_logged_becomes_json(event: dict[str, Any]) -> None:
    line = rendered(redact(dict(event)))
    assert set(line) <= set(range(0x20, 0x80)), "neither the end of a line, nor what steers a terminal"
    assert isinstance(json.loads(line), dict)


@pytest.mark.parametrize("value", [2**70, "\ud800", float("inf"), "\u202e\x9b31m", "\r\n"])
def test_no_value_breaks_a_line(value: object) -> None:
    assert json.loads(rendered(redact({"event": "x", "value": value})))["event"] == "x"


def test_lines_of_libraries_are_json_too() -> None:
    written = line(f"could not send {JWT}\nto somebody")
    assert written["event"] == f"could not send {REDACTED}\nto somebody"
    assert {"level", "logger", "timestamp"} <= written.keys()


def test_a_trace_holds_no_local_variables() -> None:
    try:
        fail_unexpectedly()
    except RuntimeError:
        written = line("failed", exc_info=sys.exc_info())
    assert "RuntimeError: a bug" in written["exception"]
    assert SECRET_IN_MEMORY not in json.dumps(written)


def test_a_worker_logs_the_same_way() -> None:
    """Celery would put its own format on the root logger."""
    script = (
        "import config.celery, logging; config.celery.app.loader.import_default_modules();"
        "config.celery.app.log.setup(loglevel='INFO', redirect_stdouts=False);"
        f"logging.getLogger('celery.worker').warning('lost %s', '{JWT}')"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    done = warm.run(["-c", script], environment=environment)
    last = json.loads(done.stdout.strip().splitlines()[-1])
    assert (last["event"], last["logger"], last["level"]) == (f"lost {REDACTED}", "celery.worker", "warning")
