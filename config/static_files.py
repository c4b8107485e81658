"""Static files, and which of them pages of other origins may load: the browser module alone."""

from wsgiref.headers import Headers

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware

MODULE = "gatehouse/"  # gatehouse.js and what it imports


def add_headers(headers: Headers, path: str, url: str) -> None:  # noqa: ARG001  (whitenoise's signature)
    """WHITENOISE_ADD_HEADERS_FUNCTION. A page imports a module by CORS; these are public, and come without credentials."""
    if url.startswith(f"{settings.STATIC_URL}{MODULE}") and url.endswith(".js"):
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """whitenoise, under STATIC_URL alone: no other request asks it for a file."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_asked = request.path_info.startswith(self.static_prefix)
        answer: HttpResponseBase = super().__call__(request) if is_asked else self.get_response(request)
        return answer
