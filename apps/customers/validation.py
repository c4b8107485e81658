"""What a customer's policy may hold: origins and networks in their canonical form, pages, countries."""

import re
from ipaddress import IPv6Network, ip_network
from urllib.parse import urlsplit

import phonenumbers
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}
ORIGIN = re.compile(r"https?://(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?")
MAPPED_PREFIX = 96  # ::ffff:0:0/96 holds the IPv4-mapped addresses


def validate_origins(origins: object) -> None:
    """Raises ValidationError unless this is a list of canonical origins, https but for this machine."""
    if not isinstance(origins, list):
        raise ValidationError(_("Give a list of origins."))
    for origin in origins:
        if not isinstance(origin, str) or not ORIGIN.fullmatch(origin):
            raise ValidationError(_("Not an origin (scheme://host[:port], lower case): %(it)s."), params={"it": origin})
        if urlsplit(origin).scheme != "https" and urlsplit(origin).hostname not in LOCAL_HOSTS:
            raise ValidationError(
                _("An origin must be https unless it is this machine: %(it)s."), params={"it": origin}
            )


def validate_page(address: str) -> None:
    """Raises ValidationError unless paths can be added to this address, and it is https but for this machine."""
    if "?" in address or "#" in address or "@" in urlsplit(address).netloc:
        raise ValidationError(_("Give an address without a query, a fragment or a name and password."))
    validate_endpoint(address)


def validate_endpoint(address: str) -> None:
    """Raises ValidationError unless it is https but for this machine: what is posted there is nobody else's business."""
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL_HOSTS):
        raise ValidationError(_("An address must be https unless it is this machine: %(it)s."), params={"it": address})


def validate_regions(regions: object) -> None:
    """Raises ValidationError unless this is a list of countries (ISO 3166-1 alpha-2) that have telephone numbers."""
    if not isinstance(regions, list):
        raise ValidationError(_("Give a list of countries."))
    for region in regions:
        if not isinstance(region, str) or region not in phonenumbers.SUPPORTED_REGIONS:
            raise ValidationError(_("Not a country (two capital letters): %(it)s."), params={"it": region})


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
