"""Databases of countries, as MaxMind and others make them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

GERMANY, FRANCE, PRIVATE = "192.0.2.7", "198.51.100.7", "10.0.0.7"  # the first is where the tests' clients come from
NETWORKS = {"192.0.2.0/24": "DE", "198.51.100.0/24": "FR", "2001:db8::/32": "NL"}


def maxmind(code: str) -> dict[str, Any]:
    return {"country": {"iso_code": code, "names": {"en": code}}}


def ipinfo(code: str) -> dict[str, Any]:
    return {"country": "A name", "country_code": code}


def database(path: Path, networks: Mapping[str, str] = NETWORKS, *, record: Any = maxmind, ip_version: int = 6) -> str:
    """Write one, and name it."""
    writer = MMDBWriter(ip_version, "GeoLite2-Country", ipv4_compatible=ip_version == 6)
    for network, code in networks.items():
        if ip_version == 6 or ":" not in network:
            writer.insert_network(IPSet([network]), record(code))
    writer.to_db_file(str(path))
    return str(path)
