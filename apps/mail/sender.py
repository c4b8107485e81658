"""Who our mail comes from: the address of DEFAULT_FROM_EMAIL, a customer's name, and our own name to other servers."""

import re
from email.header import Header
from email.utils import formataddr, parseaddr
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

from apps.core import domains
from apps.core.domains import NotADomain

OUR_NAME = "Gatehouse"
LONGEST_NAME = 100  # characters: a line of a header has room for 998 bytes (RFC 5322 section 2.1.1)
LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


def own_host() -> str:
    """PUBLIC_URL's host: our name in EHLO and Message-IDs (RFC 5321 section 4.1.3 for an IP address)."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        return domains.in_ascii(host)
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"


def own_name() -> str:
    """The service's name: what stands before the address in DEFAULT_FROM_EMAIL."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[0] or OUR_NAME


def own_address() -> str:
    """The sender of every mail, in ASCII. Raises ImproperlyConfigured."""
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1] if settings.DEFAULT_FROM_EMAIL else f"no-reply@{own_host()}"
    try:
        in_ascii = domains.address_in_ascii(address)
    except NotADomain:
        in_ascii = ""
    if "@" not in in_ascii or not in_ascii.isascii():
        raise ImproperlyConfigured(f"DEFAULT_FROM_EMAIL: {address!r} is no address that every server can send from.")
    return in_ascii


def called(name: str) -> str:
    """The From header: our address under this name."""
    name = one_line(name)[:LONGEST_NAME].strip()
    if means_itself(name):
        return formataddr((name, own_address()))
    return f"{Header(name, 'utf-8').encode(linesep='')} <{own_address()}>"


def means_itself(text: str) -> bool:
    """Whether it can stand in a header as it is. `=?utf-8?q?x=0D=0A?=` would be read as something else (RFC 2047 section 2)."""
    return text.isascii() and "=?" not in text


def reply_to(address: str) -> str:
    """A customer's Reply-To in ASCII; empty if it is no address, since a code must not wait for that."""
    try:
        in_ascii = domains.address_in_ascii(address)
        validate_email(in_ascii)
    except (NotADomain, ValidationError):
        return ""
    return in_ascii


def one_line(text: str) -> str:
    """The text without line breaks, so that nobody can smuggle another header in."""
    return LINE_BREAKS.sub(" ", text).strip()
