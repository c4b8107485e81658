"""Who our mail comes from: the address of DEFAULT_FROM_EMAIL, the name of a customer, and what we call ourselves to servers."""

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
    """PUBLIC_URL's host: what we call ourselves in EHLO and Message-IDs (RFC 5321 section 4.1.3 for an IP address)."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        return domains.in_ascii(host)
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"


def own_name() -> str:
    """The service's name, as its operator has put it before the address of DEFAULT_FROM_EMAIL."""
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
    """The sender under this name, as the From header has it."""
    name = one_line(name)[:LONGEST_NAME].strip()
    if name.isascii():
        return formataddr((name, own_address()))
    return f"{Header(name, 'utf-8').encode(linesep='')} <{own_address()}>"


def reply_to(address: str) -> str:
    """A customer's address for answers, in ASCII; nothing for what is none, since a code must not wait for that."""
    try:
        in_ascii = domains.address_in_ascii(address)
        validate_email(in_ascii)
    except (NotADomain, ValidationError):
        return ""
    return in_ascii


def one_line(text: str) -> str:
    """A header cannot be smuggled into a header."""
    return LINE_BREAKS.sub(" ", text).strip()
