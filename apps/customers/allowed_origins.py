"""The origins that a customer allows: of web pages, of native apps, and for CORS of all subdomains of a domain.

| form | CORS | CSRF proof of cookie mode | passkeys |
|---|---|---|---|
| `https://app.example.com` | yes | yes | yes |
| `https://*.preview.example.com` (one label for the star) | yes | no | no |
| `capacitor://localhost`, `com.example.app://host` (custom schemes) | yes | yes | no |
| `android:apk-key-hash:<SHA-256 of the signing certificate, base64url>` | no | no | yes |
"""

import re
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from apps.customers.validation import LOCAL_HOSTS, canonical_domain, is_public_suffix

MOST = 100  # per customer: every process remembers the list with its state
WEB = re.compile(
    r"(?P<scheme>https?)://(?P<star>\*\.)?(?P<host>\[[0-9a-f:]+\]|[a-z0-9.-]+)(:(?P<port>[1-9][0-9]{0,4}))?"
)
CUSTOM = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://[a-z0-9.-]+(:[1-9][0-9]{0,4})?")
ANDROID = re.compile(r"android:apk-key-hash:[A-Za-z0-9_-]{43}")  # base64url of 32 bytes, without padding
# Schemes that belong to no single app: anybody can open their documents, or those have no origin.
NOBODYS_SCHEMES = {"http", "https", "file", "data", "blob", "about", "javascript", "filesystem", "ws", "wss", "ftp"}
HIGHEST_PORT = 65_535
DEFAULT_PORTS = {"http": "80", "https": "443"}
FIRST_LABEL = re.compile(r"(?P<scheme>https?://)(?P<label>[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)\.(?P<rest>.+)")


def validate_origins(origins: object) -> None:
    """Raises ValidationError unless this is a list of origins as browsers send them, https except for this machine."""
    if not isinstance(origins, list):
        raise ValidationError(_("Give a list of origins."))
    if len(origins) > MOST:
        raise ValidationError(_("Give at most %(most)d origins."), params={"most": MOST})
    for origin in origins:
        _validate(origin)


def admits(allowed: Collection[str], origin: str) -> bool:
    """Whether a page of this origin may read answers (CORS)."""
    return (is_page(origin) and origin in allowed) or wildcard_for(origin) in allowed


def wildcard_for(origin: str) -> str | None:
    """The wildcard entry that would also admit this origin: `https://a.b.example` → `https://*.b.example`."""
    match = FIRST_LABEL.fullmatch(origin)
    return f"{match['scheme']}*.{match['rest']}" if match else None


def pages(allowed: Iterable[str]) -> tuple[str, ...]:
    """Those that are the origin of a page."""
    return tuple(filter(is_page, allowed))


def is_page(origin: str) -> bool:
    """Whether this is the origin of a page: no wildcard, no key hash."""
    return "*" not in origin and not is_android_app(origin)


def is_android_app(origin: str) -> bool:
    """Whether this names a native Android app by its signing certificate, as passkeys do (Credential Manager)."""
    return ANDROID.fullmatch(origin) is not None


def _validate(origin: object) -> None:
    text = origin if isinstance(origin, str) else ""
    web, custom = WEB.fullmatch(text), CUSTOM.fullmatch(text)
    if web:
        _validate_web(text, web)
    elif not is_android_app(text) and (custom is None or custom["scheme"] in NOBODYS_SCHEMES):
        raise _refused(origin)


def _validate_web(origin: str, web: re.Match[str]) -> None:
    local = web["host"].strip("[]") in LOCAL_HOSTS
    if (not local and canonical_domain(web["host"]) != web["host"]) or int(web["port"] or 0) > HIGHEST_PORT:
        raise _refused(origin)
    if web["scheme"] != "https" and (web["star"] or not local):
        raise ValidationError(_("An origin must be https unless it is this machine: %(it)s."), params={"it": origin})
    if web["port"] == DEFAULT_PORTS[web["scheme"]]:
        without = origin.rpartition(":")[0]
        raise ValidationError(_("Browsers leave the default port away: write %(it)s."), params={"it": without})
    if web["star"] and (local or is_public_suffix(web["host"])):
        raise ValidationError(
            _("Strangers have pages under %(it)s: put the star under a domain of your own."), params={"it": web["host"]}
        )


def _refused(origin: object) -> ValidationError:
    params = {"it": origin, "example": _suggestion(origin)}
    return ValidationError(_("Not an origin: %(it)s. Write for example %(example)s."), params=params)


def _suggestion(origin: object) -> str:
    """The origin that was probably meant, as a browser would send it."""
    try:
        parts = urlsplit(origin.strip()) if isinstance(origin, str) else None
        domain = canonical_domain(parts.hostname) if parts and parts.hostname else None
        port = f":{parts.port}" if parts and parts.port and str(parts.port) != DEFAULT_PORTS["https"] else ""
    except ValueError:
        return "https://app.example.com"
    return f"https://{domain}{port}" if domain else "https://app.example.com"
