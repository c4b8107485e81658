"""What a customer's policy may hold, checked when it is saved. Each refusal says what would be right."""

import re
from functools import lru_cache
from ipaddress import IPv6Network, ip_network
from urllib.parse import urlsplit

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from publicsuffixlist import PublicSuffixList

from apps.core import domains, text_languages
from apps.core.domains import NotADomain

LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}
MAPPED_PREFIX = 96  # ::ffff:0:0/96 holds the IPv4-mapped addresses
DOMAIN_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
NUMERIC = re.compile(r"[0-9.]+")
LONGEST_DOMAIN = 253
# Beside a number, carriers accept as the sender of an SMS: up to 11 letters, digits and spaces, at least one letter.
ALPHANUMERIC_SENDER = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9 ]{0,9}[A-Za-z0-9]|[A-Za-z]")
SHORT_CODE = re.compile(r"[0-9]{3,8}")
LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")


def validate_domain(text: str) -> None:
    """Raises ValidationError unless this is a host name that one owner has, as browsers write it, or this machine."""
    if text == "localhost":
        return
    canonical = canonical_domain(text)
    if canonical is None:
        raise ValidationError(_("Give a domain such as example.com, without https://, port or path."))
    if canonical != text:
        raise ValidationError(_("Write the domain as browsers do: %(it)s."), params={"it": canonical})
    if is_public_suffix(text):
        raise ValidationError(_("Anybody can register under %(it)s: give a domain of your own."), params={"it": text})


def canonical_domain(text: str) -> str | None:
    """The host name in lower case and as A-labels (IDNA 2008); None if it is no name, or an IP address."""
    try:
        domain = domains.in_ascii(text)
    except NotADomain:
        return None
    labels = domain.split(".")
    well_formed = len(domain) <= LONGEST_DOMAIN and all(map(DOMAIN_LABEL.fullmatch, labels))
    return domain if well_formed and len(labels) > 1 and not NUMERIC.fullmatch(domain) else None


def is_public_suffix(domain: str) -> bool:
    """Whether strangers register names under this domain (co.uk, github.io), by the list that browsers use."""
    return bool(_public_suffixes().is_public(domain))


@lru_cache(maxsize=1)
def _public_suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def validate_page(address: str) -> None:
    """Raises ValidationError unless paths can be added to this address, and it is https (this machine may do without)."""
    if "?" in address or "#" in address or "@" in urlsplit(address).netloc:
        raise ValidationError(_("Give an address without a query, a fragment or a name and password."))
    validate_endpoint(address)


def validate_endpoint(address: str) -> None:
    """Raises ValidationError unless it is https (this machine may do without): nobody else may read what is posted there."""
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL_HOSTS):
        raise ValidationError(_("An address must be https unless it is this machine: %(it)s."), params={"it": address})


def validate_picture(address: str) -> None:
    """Raises ValidationError unless a mail program would load it: https, and no name and password in it."""
    parts = urlsplit(address)
    if parts.scheme != "https" or "@" in parts.netloc:
        raise ValidationError(_("Give an https:// address of a picture, without a name and password."))


def validate_locale(text: str) -> None:
    """Raises ValidationError unless our texts exist in this language ("de" serves "de-AT")."""
    validate_language_tag(text)
    if not text_languages.is_known(text):
        known = ", ".join(code for code, _name in settings.LANGUAGES)
        raise ValidationError(
            _("There are no texts in this language. Choose from: %(known)s."), params={"known": known}
        )


def validate_language_tag(text: str) -> None:
    """Raises ValidationError unless this looks like a language tag (BCP 47), even of a language that we have no texts in."""
    if not LANGUAGE_TAG.fullmatch(text):
        raise ValidationError(_("Give a language tag such as en or de-AT."))


def validate_sms_sender(text: str) -> None:
    """Raises ValidationError unless carriers accept this as the sender of an SMS."""
    if ALPHANUMERIC_SENDER.fullmatch(text) or SHORT_CODE.fullmatch(text) or _is_number(text):
        return
    raise ValidationError(
        _("Give a number such as +4915112345678, a short code of 3 to 8 digits, or up to 11 letters and digits.")
    )


def _is_number(text: str) -> bool:
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return False
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return phonenumbers.is_possible_number(number) and e164 == text


def validate_regions(regions: object) -> None:
    """Raises ValidationError unless this is a list of countries (ISO 3166-1 alpha-2) that have telephone numbers."""
    if not isinstance(regions, list):
        raise ValidationError(_("Give a list of countries."))
    for region in regions:
        if not isinstance(region, str) or region not in phonenumbers.SUPPORTED_REGIONS:
            raise ValidationError(_("Not a country (two capital letters): %(it)s."), params={"it": region})


def usual_file_types() -> list[str]:
    """What a customer accepts unless it says otherwise: papers and pictures."""
    return ["application/pdf", "image/heic", "image/jpeg", "image/png", "image/webp"]


def validate_file_types(types: object) -> None:
    """Raises ValidationError unless this is a list of media types (RFC 6838), in lower case and without parameters."""
    if not isinstance(types, list):
        raise ValidationError(_("Give a list of media types."))
    for each in types:
        if not isinstance(each, str) or not MEDIA_TYPE.fullmatch(each):
            raise ValidationError(_("Not a media type such as application/pdf: %(it)s."), params={"it": each})


def canonical_network(text: str) -> str:
    """The network as it is stored: IPv4-mapped ones as IPv4. Raises ValidationError, also for set host bits."""
    try:
        network = ip_network(text.strip())
    except ValueError as error:
        raise ValidationError(_("Not a network: %(reason)s."), params={"reason": str(error)}) from error
    if isinstance(network, IPv6Network) and network.prefixlen >= MAPPED_PREFIX:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return str(ip_network((mapped, network.prefixlen - MAPPED_PREFIX)))
    return str(network)
