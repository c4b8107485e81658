"""Cookie delivery, for browsers (contract 3.8): tokens that the page cannot read, and proof that the page is ours."""

from collections.abc import Mapping
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import ciphers
from apps.customers import allowed_origins
from apps.customers.state import CustomerState
from apps.tokens.errors import CrossSiteRequest
from apps.tokens.minting import TokenPair

ACCESS_COOKIE = "__Host-gatehouse_access"
REFRESH_COOKIE = "__Secure-gatehouse_refresh"  # __Host- would forbid the narrower path
REFRESH_PATH = "/api/auth"  # what needs it lies there: refreshing, and logging out without an access token
CSRF_HEADER = "X-CSRF-Token"
OWN_SITES = {"same-origin", "none"}  # of Sec-Fetch-Site
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def set_tokens(response: Response, pair: TokenPair) -> None:
    """Put both tokens where only the browser can reach them."""
    left = int((pair.refresh_expires_at - timezone.now()).total_seconds())
    _set(response, ACCESS_COOKIE, pair.access, path="/", max_age=pair.expires_in)
    _set(response, REFRESH_COOKIE, pair.refresh, path=REFRESH_PATH, max_age=left)


def clear(response: Response) -> None:
    """Have the browser forget both tokens."""
    _set(response, ACCESS_COOKIE, "", path="/", max_age=0)
    _set(response, REFRESH_COOKIE, "", path=REFRESH_PATH, max_age=0)


def csrf_token(session_id: UUID) -> str:
    """What the page must send back with unsafe methods: bound to the session, known to nobody else."""
    key = ciphers.hkdf_extract(salt=b"gatehouse/csrf/v1", input_key=settings.SECRET_KEY.encode())
    return ciphers.mac(str(session_id).encode(), key=key).hex()


def require_same_site(request: Request, *, session_id: UUID, customer: CustomerState) -> None:
    """Raises CrossSiteRequest unless the method is safe, or the token and an allowed origin come with it."""
    if request.method in SAFE_METHODS:
        return
    offered = request.headers.get(CSRF_HEADER, "").encode()
    if not ciphers.equal(offered, csrf_token(session_id).encode()):
        raise CrossSiteRequest
    if not _is_allowed(request.headers.get("Origin"), customer):
        raise CrossSiteRequest


def refuse_other_pages(request: Request, customer: CustomerState) -> None:
    """Raises CrossSiteRequest if another page asks. Browsers say who asks with every POST, and need no token for that.

    For what does no harm but to end a session: a page that was loaded anew knows no token of it, and may sign out.
    """
    origin = request.headers.get("Origin")
    if origin is not None and not _is_allowed(origin, customer):
        raise CrossSiteRequest
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in OWN_SITES and origin is None:
        raise CrossSiteRequest


def _is_allowed(origin: str | None, customer: CustomerState) -> bool:
    return origin in (*allowed_origins.pages(customer.allowed_origins), _own_origin())


def are_in(cookies: Mapping[str, str]) -> bool:
    """Whether the request bears either."""
    return ACCESS_COOKIE in cookies or REFRESH_COOKIE in cookies


def access_token_in(cookies: Mapping[str, str]) -> str | None:
    return cookies.get(ACCESS_COOKIE) or None


def refresh_token_in(cookies: Mapping[str, str]) -> str | None:
    return cookies.get(REFRESH_COOKIE) or None


def _own_origin() -> str:
    parts = urlsplit(settings.PUBLIC_URL)
    return f"{parts.scheme}://{parts.netloc}"


def _set(response: Response, name: str, value: str, *, path: str, max_age: int) -> None:
    response.set_cookie(name, value, max_age=max_age, path=path, secure=True, httponly=True, samesite="Strict")
