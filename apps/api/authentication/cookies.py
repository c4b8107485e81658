"""Cookies for browsers (contract 3.8): tokens that the page cannot read, and proof that the request comes from an allowed page."""

from collections.abc import Mapping
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.http.request import HttpHeaders
from django.utils import timezone
from rest_framework.response import Response

from apps.core import ciphers
from apps.customers import allowed_origins
from apps.customers.state import CustomerState
from apps.tokens.errors import CrossSiteRequest
from apps.tokens.minting import TokenPair

ACCESS_COOKIE = "__Host-gatehouse_access"
REFRESH_COOKIE = "__Secure-gatehouse_refresh"  # __Host- would forbid the narrower path
REFRESH_PATH = "/api/auth"  # refreshing, and logging out without an access token
CSRF_HEADER = "X-CSRF-Token"
ORIGIN, SEC_FETCH_SITE, CSRF = map(HttpHeaders.to_wsgi_name, ("Origin", "Sec-Fetch-Site", CSRF_HEADER))
OWN_SITES = {"same-origin", "none"}  # of Sec-Fetch-Site
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def set_tokens(response: Response, pair: TokenPair) -> None:
    """Put both tokens into cookies that scripts cannot read."""
    left = int((pair.refresh_expires_at - timezone.now()).total_seconds())
    _set(response, ACCESS_COOKIE, pair.access, path="/", max_age=pair.expires_in)
    _set(response, REFRESH_COOKIE, pair.refresh, path=REFRESH_PATH, max_age=left)


def clear(response: Response) -> None:
    """Have the browser forget both tokens."""
    _set(response, ACCESS_COOKIE, "", path="/", max_age=0)
    _set(response, REFRESH_COOKIE, "", path=REFRESH_PATH, max_age=0)


def csrf_token(session_id: UUID) -> str:
    """What the page must send with unsafe methods. It is bound to the session, and nobody else knows it."""
    key = ciphers.hkdf_extract(salt=b"gatehouse/csrf/v1", input_key=settings.SECRET_KEY.encode())
    return ciphers.mac(str(session_id).encode(), key=key).hex()


def require_same_site(request: HttpRequest, *, session_id: UUID, customer: CustomerState) -> None:
    """Raises CrossSiteRequest unless the method is safe, or the token and an allowed origin come with it."""
    if request.method in SAFE_METHODS:
        return
    offered = request.META.get(CSRF, "").encode()
    if not ciphers.equal(offered, csrf_token(session_id).encode()):
        raise CrossSiteRequest
    if not _is_allowed(request.META.get(ORIGIN), customer):
        raise CrossSiteRequest


def refuse_other_pages(request: HttpRequest, customer: CustomerState) -> None:
    """Raises CrossSiteRequest if another site's page asks. Browsers name it with every POST, and no token is needed for that.

    Enough where the worst is that a session ends: a page that was just loaded has no CSRF token yet, and may sign out.
    """
    refuse_other_origins(request, customer)
    if request.META.get(SEC_FETCH_SITE, "same-origin") not in OWN_SITES and ORIGIN not in request.META:
        raise CrossSiteRequest


def refuse_other_origins(request: HttpRequest, customer: CustomerState) -> None:
    """Raises CrossSiteRequest if the browser names another site's page. It names none where somebody follows a link."""
    origin = request.META.get(ORIGIN)
    if origin is not None and not _is_allowed(origin, customer):
        raise CrossSiteRequest


def require_own_page(request: HttpRequest, customer: CustomerState) -> None:
    """For what tells secrets: raises CrossSiteRequest unless one of the customer's pages asks, or one of ours.

    A page that asks its own origin sends no Origin with GET. Browsers say so in Sec-Fetch-Site, which no page can set.
    """
    origin = request.META.get(ORIGIN)
    if origin is None and request.META.get(SEC_FETCH_SITE) == "same-origin":
        return
    if not _is_allowed(origin, customer):
        raise CrossSiteRequest


def _is_allowed(origin: str | None, customer: CustomerState) -> bool:
    return origin in (*allowed_origins.pages(customer.allowed_origins), _own_origin())


def are_in(cookies: Mapping[str, str]) -> bool:
    """Whether the request has one of our cookies."""
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
