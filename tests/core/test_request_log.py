"""C2.4.3: each request leaves one line in the log, with its id and how it ended, and without anything secret."""

import io
import json
import logging
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from apps.core import log_lines, request_log
from apps.core.redaction import REDACTED
from tests.core.test_logging import API_KEY, JWT

pytestmark = pytest.mark.django_db


def lines_of(path: str, capsys: pytest.CaptureFixture[str], **headers: str) -> list[Any]:
    """The lines that a request for this path leaves."""
    capsys.readouterr()
    Client().get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_it_is_one_line_without_the_query(capsys: pytest.CaptureFixture[str]) -> None:
    lines = lines_of("/nowhere?token=hunter2", capsys, X_Request_ID="trace-0815", Authorization="Bearer hunter2")
    assert len(lines) == 1
    expected = {
        "event": "request_finished",
        "method": "GET",
        "path": "/nowhere",
        "status": 404,
        "ip": "127.0.0.1",
        "request_id": "trace-0815",
        "level": "info",
        "logger": "gatehouse.request",
    }
    assert expected.items() <= lines[0].items()
    assert lines[0].keys() - expected.keys() == {"milliseconds", "timestamp"}
    assert lines[0]["timestamp"].endswith("Z")
    assert "hunter2" not in str(lines)


@given(st.floats(min_value=0, max_value=4e9))
def test_a_line_says_its_time_to_the_microsecond_in_utc(at: float) -> None:
    said = log_lines.timestamp(at)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", said)
    assert datetime.fromisoformat(said).timestamp() == pytest.approx(at, rel=0, abs=2e-6)


@pytest.mark.parametrize("secret", [JWT, API_KEY])
def test_a_token_in_the_path_is_not_shown(secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    [line] = lines_of(f"/api/auth/reset/{secret}/", capsys)
    assert line["path"] == f"/api/auth/reset/{REDACTED}/"


@pytest.mark.parametrize(
    "path", ["/%0a%7b%22event%22:%22forged%22%7d", "/%0d%0a", "/%1b[31m", "/%c2%9b31m", "/%e2%80%ae"]
)
def test_no_path_forges_a_line_or_steers_a_terminal(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Also not by C1 controls and bidirectional overrides, which are letters to JSON."""
    Client().get(path)
    written = capsys.readouterr().out
    assert len(written.splitlines()) == 1
    assert written.isascii()
    assert "\x1b" not in written
    assert json.loads(written)["event"] == "request_finished"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_do_not_fill_the_log(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert [line for line in lines_of(path, capsys) if line["logger"] == "gatehouse.request"] == []


@pytest.fixture
def only_warnings() -> Iterator[None]:
    """LOG_LEVEL=WARNING."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.WARNING)
    yield
    root.setLevel(before)


def test_it_obeys_the_level(only_warnings: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert lines_of("/nowhere", capsys) == []


class FullDisk(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, _line: object) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_log_that_cannot_be_written_fails_no_request(is_closed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    stdout = io.TextIOWrapper(FullDisk())  # type: ignore[type-var]
    if is_closed:
        stdout.close()
    monkeypatch.setattr("sys.stdout", stdout)
    request_log.note(request_id="x", method="GET", path="/", status=200, ip=None, seconds=0.1)
    monkeypatch.undo()
