"""Email addresses: how they are checked, compared, counted, and written to.

Two addresses are the same if they are equal after NFKC and case folding. That decides whose account it is, never where
mail goes: a look-alike must not receive somebody else's code, so mail to a known user goes to the address it gave.
"""

import unicodedata
from contextlib import suppress
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from apps.core.errors import ValidationFailed

LONGEST = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets
LONGEST_DOMAIN = 253  # RFC 1035 section 2.3.4, as DNS writes it, without the final dot


@dataclass(frozen=True)
class Address:
    """An address as typed (NFKC-normalised), as it is compared, and as it is counted."""

    typed: str
    identity: str
    counter_key: str


def parse(text: str) -> Address:
    """The address in `text`. Raises ValidationFailed."""
    typed = unicodedata.normalize("NFKC", text.strip())
    if not _is_address(typed):
        raise ValidationFailed(fields={"email": [_("Enter an email address.")]})
    return Address(typed=typed, identity=identity(typed), counter_key=counter_key(typed))


def identity(address: str) -> str:
    """How addresses are compared: NFKC, case folded, the domain in its ASCII form."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", address).casefold())
    local, _at, domain = folded.rpartition("@")
    with suppress(UnicodeError):  # a name that DNS does not know is compared as it is
        domain = domain.encode("idna").decode("ascii")
    return f"{local}@{domain}"


def counter_key(address: str) -> str:
    """How limits count an address: without what one mailbox can vary at will, dots and a +tag of the local part."""
    local, _at, domain = identity(address).rpartition("@")
    return f"{local.partition('+')[0].replace('.', '')}@{domain}"


def same_mailbox(left: str, right: str) -> bool:
    """Whether mail to both arrives at the same place, as far as anybody can tell.

    Stricter than `identity`: case does not count, but that "ß" and "ss" compare equal does not make them one mailbox.
    """
    return left.lower() == right.lower()


def _is_address(text: str) -> bool:
    """Whether mail can be sent there, and the mailbox has this one name.

    Quoted local parts are refused, since `"a\\da"` and `ada` are one mailbox that limits would count twice; so are
    addresses of hosts (`ada@[10.0.0.1]`).
    """
    if len(text) > LONGEST or not text.isprintable() or '"' in text or text.endswith("]"):
        return False
    try:
        validate_email(_with_ascii_local_part(text))
    except ValidationError:
        return False
    return len(identity(text).rpartition("@")[2]) <= LONGEST_DOMAIN


def _with_ascii_local_part(address: str) -> str:
    """Django's check knows ASCII local parts alone; letters of any script are fine to us (RFC 6531)."""
    local, at, domain = address.rpartition("@")
    return "".join("x" if ord(letter) > 127 and letter.isalnum() else letter for letter in local) + at + domain
