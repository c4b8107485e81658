"""Email addresses: how they are checked, compared, counted, and written to.

Two addresses are the same if they differ only in the case of letters, or in how the domain is written (`bücher.example`,
`xn--bcher-kva.example`). So nobody enters another's account, and mail goes to the mailbox that was typed. Other letters that
Unicode calls alike make another address (`ß` is not `ss`), or are refused before the @: the ligature `ﬁ`, full-width letters,
the Kelvin sign (as RFC 8264 section 9.17 does for names).
"""

import re
import unicodedata
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from apps.core import domains
from apps.core.domains import NotADomain
from apps.core.errors import ValidationFailed

LONGEST = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets
LONGEST_DOMAIN = 253  # RFC 1035 section 2.3.4, as DNS writes it, without the final dot
# Invisible letters and marks: joiners, fillers, variation selectors (Unicode's Default_Ignorable_Code_Point).
INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


@dataclass(frozen=True)
class Address:
    """An address as typed (in NFC), as addresses are compared, and as limits count it."""

    typed: str
    identity: str
    counter_key: str


def parse(text: str) -> Address:
    """The address in `text`. Raises ValidationFailed."""
    text = text.strip()
    local, at, domain = text.rpartition("@")
    typed = unicodedata.normalize("NFC", local) + at + _as_written_elsewhere(domain)
    if not _is_address(text, typed):
        raise ValidationFailed(fields={"email": [_("Enter an email address.")]})
    compared = identity(typed)
    return Address(typed=typed, identity=compared, counter_key=_counted(compared))


def identity(address: str) -> str:
    """How addresses are compared: the local part in lower case, the domain as its A-label. Raises NotADomain."""
    local, _at, domain = unicodedata.normalize("NFC", address).rpartition("@")
    return f"{unicodedata.normalize('NFC', local.lower())}@{domains.in_ascii(domain)}"


def counter_key(address: str) -> str:
    """How limits count an address: without dots and a +tag before the @, which one mailbox can vary at will."""
    return _counted(identity(address))


def _counted(identity: str) -> str:
    local, _at, domain = identity.rpartition("@")
    return f"{local.partition('+')[0].replace('.', '')}@{domain}"


def same_mailbox(left: str, right: str) -> bool:
    """Whether mail to both goes to the same mailbox, as far as we can tell."""
    try:
        return identity(left) == identity(right)
    except NotADomain:
        return False


def _as_written_elsewhere(domain: str) -> str:
    """The domain without full-width letters and dots: the same to DNS, but not to every program."""
    return unicodedata.normalize("NFKC", domain).replace("\u3002", ".")


def _is_address(text: str, typed: str) -> bool:
    """Whether mail can be sent there, and the mailbox has this one name.

    Quoted local parts are refused, since `"a\\da"` and `ada` are one mailbox that limits would count twice; so are
    addresses of hosts (`ada@[10.0.0.1]`).
    """
    if len(typed) > LONGEST or text.count("@") != 1 or typed.count("@") != 1:
        return False
    if not typed.isprintable() or INVISIBLE.search(typed) or '"' in typed or typed.endswith("]"):
        return False
    local, at, domain = typed.rpartition("@")
    if not _has_one_spelling(text.rpartition("@")[0], local):
        return False
    try:
        in_dns = domains.in_ascii(domain)
        validate_email(_with_ascii_letters(local) + at + in_dns)
    except (NotADomain, ValidationError):
        return False
    return len(in_dns) <= LONGEST_DOMAIN


def _has_one_spelling(text: str, local: str) -> bool:
    """Whether no letter is a double of another one. `local`: `text` in NFC.

    Accents may be composed or separate, as the keyboard makes them; a text that begins with a mark is refused.
    """
    if text.isascii():
        return True
    starts_with_a_mark = unicodedata.category(local[:1] or "x").startswith("M")
    is_compatible = unicodedata.normalize("NFKC", local) == local
    return is_compatible and not starts_with_a_mark and not any(map(_is_a_double, text))


def _is_a_double(letter: str) -> bool:
    """Whether Unicode replaces it by another letter, as it does the Kelvin sign by a K."""
    other = unicodedata.normalize("NFC", letter)
    return other != letter and len(other) == 1


def _with_ascii_letters(local: str) -> str:
    """Django's check knows only ASCII before the @; we accept letters of any script with their marks (RFC 6531)."""
    return "".join("x" if ord(letter) > 127 and _is_of_a_word(letter) else letter for letter in local)


def _is_of_a_word(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LMN"
