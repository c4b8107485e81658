"""Which static files pages of other origins may load: the browser module alone."""

from wsgiref.headers import Headers

from django.conf import settings

MODULE = "gatehouse/"  # gatehouse.js and what it imports


def add_headers(headers: Headers, path: str, url: str) -> None:  # noqa: ARG001  (whitenoise's signature)
    """WHITENOISE_ADD_HEADERS_FUNCTION. A page imports a module by CORS; these are public, and come without credentials."""
    if url.startswith(f"{settings.STATIC_URL}{MODULE}") and url.endswith(".js"):
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
