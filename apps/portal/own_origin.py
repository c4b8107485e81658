"""Whether a form comes from one of our own pages. Another site must not sign people in or out, or change their account."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

from apps.tokens.errors import CrossSiteRequest

SAFE_METHODS = {"GET", "HEAD"}
UNKNOWN = {None, "null"}  # browsers write "null" where the page's Referrer-Policy is no-referrer


def own_origin() -> str:
    parts = urlsplit(settings.PUBLIC_URL)
    return f"{parts.scheme}://{parts.netloc}"


def require_own_page(request: HttpRequest) -> None:
    """Raises CrossSiteRequest for an unsafe method unless the browser says that our own page has sent it.

    It says so by `Origin`, or, where that is withheld, by `Sec-Fetch-Site` (both are beyond the reach of scripts).
    """
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    if origin == own_origin():
        return
    if origin in UNKNOWN and request.headers.get("Sec-Fetch-Site") == "same-origin":
        return
    raise CrossSiteRequest
