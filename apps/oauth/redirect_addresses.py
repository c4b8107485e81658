"""The addresses that a client is registered with: where users are sent after sign-in and sign-out. Compared exactly.

| form | for |
|---|---|
| `https://app.example.com/callback` | web apps |
| `http://127.0.0.1/callback`, `http://localhost:3000/callback`: any port fits (RFC 8252 section 7.3) | development, desktop apps |
| `com.example.app:/callback`: a scheme with a dot in it (RFC 8252 section 7.1) | apps on phones |
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from apps.customers.validation import canonical_domain

MOST, LONGEST = 50, 1000
ALLOWED = re.compile(r"[!$%&'()+,\-./0-9:;=?@A-Z\[\]_a-z~]+")  # of RFC 3986, without the wildcard and the fragment
WEB = re.compile(r"https://(?P<host>[a-z0-9.-]+)(:(?P<port>[1-9][0-9]{0,4}))?(?P<rest>[/?].*)?")
LOOPBACK = re.compile(
    r"(?P<origin>http://(localhost|127\.0\.0\.1|\[::1\]))(:(?P<port>[1-9][0-9]{0,4}))?(?P<rest>[/?].*)?"
)
PRIVATE = re.compile(r"(?P<scheme>[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+):/.*")
HIGHEST_PORT = 65_535
DEFAULT_PORTS = {"http": 80, "https": 443}
OWN_PARAMETERS = {"code", "state", "iss", "error", "error_description", "error_uri"}  # which we add


def validate_redirect_addresses(addresses: object) -> None:
    """The same as `validate_addresses`, and at least one. Raises ValidationError."""
    validate_addresses(addresses)
    if not addresses:
        raise ValidationError(_("Give at least one address."))


def validate_addresses(addresses: object) -> None:
    """Raises ValidationError unless this is a list of addresses that nobody but the client receives."""
    if not isinstance(addresses, list) or len(addresses) > MOST:
        raise ValidationError(_("Give a list of at most %(most)d addresses."), params={"most": MOST})
    for address in addresses:
        _validate(address)


def is_registered(address: str, registered: Iterable[str]) -> bool:
    """Whether the address is one of these, character by character; on this machine, at any port."""
    portless = _portless(address)
    return any(address == known or (portless and portless == _portless(known)) for known in registered)


def with_parameters(address: str, parameters: Mapping[str, str]) -> str:
    """The address with these in its query. What it has there already stays as it is (RFC 6749 section 3.1.2)."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}" if parameters else address


def form_target(address: str) -> str:
    """What `form-action` of a Content-Security-Policy must allow, so that a form may lead there: an origin or a scheme."""
    return origin_of(address) or f"{urlsplit(address).scheme}:"


def origin_of(address: str) -> str | None:
    """The origin of a page at this address, as browsers send it; None for an app's own scheme."""
    parts = urlsplit(address)
    if parts.scheme not in DEFAULT_PORTS:
        return None
    is_default = parts.port in (None, DEFAULT_PORTS[parts.scheme])
    return f"{parts.scheme}://{parts.netloc.rpartition(':')[0] if is_default and parts.port else parts.netloc}"


def _portless(address: str) -> tuple[str, str] | None:
    """An address of this machine without its port; None for any other."""
    loopback = LOOPBACK.fullmatch(address)
    if loopback is None or int(loopback["port"] or 1) > HIGHEST_PORT:
        return None
    return loopback["origin"], loopback["rest"] or ""


def _validate(address: object) -> None:
    if not isinstance(address, str) or len(address) > LONGEST or not ALLOWED.fullmatch(address):
        raise _refused(address)
    if not (_is_web(address) or _portless(address) or PRIVATE.fullmatch(address)):
        raise _refused(address)
    parts = urlsplit(address)
    if any(unquote(segment) in (".", "..") for segment in parts.path.split("/")):
        raise ValidationError(_("Write the path without . and ..: %(it)s"), params={"it": address})
    if OWN_PARAMETERS & {name for name, _value in parse_qsl(parts.query, keep_blank_values=True)}:
        raise ValidationError(
            _("An address must not have parameters that we add (%(names)s): %(it)s"),
            params={"it": address, "names": ", ".join(sorted(OWN_PARAMETERS))},
        )


def _is_web(address: str) -> bool:
    web = WEB.fullmatch(address)
    if web is None or int(web["port"] or 1) > HIGHEST_PORT:
        return False
    return web["host"] == "localhost" or _is_host(web["host"])


def _is_host(host: str) -> bool:
    """A name as browsers write it, or an IPv4 address."""
    return canonical_domain(host) == host or re.fullmatch(r"([0-9]{1,3}\.){3}[0-9]{1,3}", host) is not None


def _refused(address: object) -> ValidationError:
    return ValidationError(
        _(
            "Not an address to redirect to: %(it)s. Write https://…, http://localhost… or http://127.0.0.1…, or an app's "
            "scheme with a dot in it (com.example.app:/…); without wildcards, without #, without a name and password."
        ),
        params={"it": address},
    )
