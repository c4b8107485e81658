"""The country of an address, if the operator has given a database of them (GEOIP_DATABASE): MaxMind's format, as many sell or give it.

An address without a country is no fault: private ones have none. Nobody is kept out because of this: it only tells.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import maxminddb
import structlog
from django.conf import settings
from maxminddb import InvalidDatabaseError, Reader

log = structlog.get_logger(__name__)


def are_known() -> bool:
    """Whether there is a database."""
    return bool(settings.GEOIP_DATABASE)


def of(address: str | None) -> str:
    """The country's code (ISO 3166, "DE"); empty for none, for an unknown address, and for a database that cannot be read."""
    if not (address and are_known()):
        return ""
    try:
        return of_record(_opened().get(address))
    except (OSError, ValueError, InvalidDatabaseError) as error:  # IPv6 in a database of IPv4 alone is a ValueError
        log.warning("country_unknown", error=type(error).__name__)
        return ""


def of_record(record: Any) -> str:
    """As MaxMind and DB-IP write it, or as IPinfo does."""
    if not isinstance(record, dict):
        return ""
    country = record.get("country")
    code = country.get("iso_code") if isinstance(country, dict) else record.get("country_code")
    return code if isinstance(code, str) and len(code) == 2 else ""


def _opened() -> Reader:
    """Opened anew when the file has been replaced, as those who keep it up to date do."""
    path = settings.GEOIP_DATABASE
    facts = Path(path).stat()
    return _open(path, facts.st_ino, facts.st_mtime_ns)


@lru_cache(maxsize=1)
def _open(path: str, _inode: int, _changed: int) -> Reader:
    return maxminddb.open_database(path)
