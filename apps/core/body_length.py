"""The length of bodies that come without one: in chunks (RFC 9112 section 7.1), or by HTTP/2, where it need not be said.

So send clients that write a body while they send it (.NET's JsonContent), and proxies that pass bodies on as they come
(Cloudflare's). Django and DRF take a body without a length for none.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from django.conf import settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class BodyLength:
    """A WSGI application in front of all that take bodies. It reads such a body, and says how long it is.

    What is longer than any view takes ends a byte behind that, and is refused as too large. An encoded body (the content of a
    file) is left to its view, which reads it as it comes.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        if "CONTENT_LENGTH" not in environ and _may_have_body(environ):
            body = _read(environ["wsgi.input"], most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
            environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(body), str(len(body))
        return self._application(environ, start_response)


def _may_have_body(environ: dict[str, Any]) -> bool:
    """Of a server that says where the body ends: of another, nobody could tell."""
    return (
        environ["REQUEST_METHOD"] in WITH_BODY
        and bool(environ.get("wsgi.input_terminated"))
        and "HTTP_CONTENT_ENCODING" not in environ
    )


def _read(stream: BinaryIO, *, most: int) -> bytes:
    """All of it, or so many bytes."""
    pieces, left = [], most
    while left and (piece := stream.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
