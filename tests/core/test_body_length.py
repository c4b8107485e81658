"""A body counts whoever says how long it is: the client, the end of its chunks, or the end of HTTP/2's stream."""

from io import BytesIO
from typing import Any

import pytest

from apps.core.body_length import BodyLength

BODY = b'{"refresh_token": "x"}'


class Stream(BytesIO):
    """Gives what has arrived, not all that is asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(7, size) if size and size > 0 else size)


def seen(body: bytes = BODY, *, method: str = "POST", **more: Any) -> tuple[str | None, bytes]:
    """The length and the body that the application behind it sees."""
    found: list[dict[str, Any]] = []
    application = BodyLength(lambda environ, _: found.append(environ) or [])  # type: ignore[func-returns-value]
    environ = {"REQUEST_METHOD": method, "wsgi.input": Stream(body), "wsgi.input_terminated": True, **more}
    application(environ, lambda *_: lambda _: None)
    (environ,) = found
    return environ.get("CONTENT_LENGTH"), environ["wsgi.input"].read(-1)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_body_of_unknown_length_is_measured(method: str) -> None:
    assert seen(method=method) == (str(len(BODY)), BODY)
    assert seen(b"", method=method) == ("0", b"")


def test_what_no_view_takes_is_cut_behind_what_one_would_take(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20
    assert seen(b"x" * 20) == ("20", b"x" * 20)
    assert seen(b"x" * 10_000) == ("21", b"x" * 21)


@pytest.mark.parametrize(
    "more",
    [
        {"CONTENT_LENGTH": "5"},
        {"CONTENT_LENGTH": ""},
        {"HTTP_CONTENT_ENCODING": "aes128gcm"},
        {"REQUEST_METHOD": "GET"},
        {"wsgi.input_terminated": False},
    ],
    ids=str,
)
def test_everything_else_is_left_as_it_is(more: dict[str, Any]) -> None:
    """A length that was said, a file's content, a request without a body, a server that does not say where a body ends."""
    assert seen(**more) == (more.get("CONTENT_LENGTH"), BODY)
