"""The service's public keys."""

from django.http import HttpRequest, JsonResponse

from apps.core import error_answers
from apps.payloads import service_keys

KEYS_CACHED_SECONDS = 300


def service_jwks(request: HttpRequest) -> JsonResponse:
    """`GET /.well-known/jwks.json`: the current public key to encrypt to (RFC 7517).

    The retiring key still decrypts, but is not published: a client that takes any key of the set gets one that lasts.
    """
    if request.method not in ("GET", "HEAD"):
        return error_answers.plain(error_answers.MethodNotAllowed(headers={"Allow": "GET, HEAD"}), request)
    answer = JsonResponse({"keys": [service_keys.pairs()[0].public_jwk]})
    answer["Cache-Control"] = f"public, max-age={KEYS_CACHED_SECONDS}"
    answer["Access-Control-Allow-Origin"] = "*"
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer
