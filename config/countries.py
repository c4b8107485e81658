"""GEOIP_DATABASE: a file in MaxMind's format that knows countries."""

from itertools import islice

import maxminddb

LOOKED_AT = 1000  # of its networks: one of them has a country


def database(text: str) -> str:
    """The text as it came, if it names such a file; else raises ValueError saying what is wrong."""
    try:
        with maxminddb.open_database(text) as reader:
            if any("country" in str(record) for _, record in islice(reader, LOOKED_AT)):
                return text
    except OSError as error:
        raise ValueError(f"names {text}, which cannot be read: {error.strerror or error}") from error
    except maxminddb.InvalidDatabaseError as error:
        raise ValueError(f"names {text}, which is no database in MaxMind's format (.mmdb)") from error
    raise ValueError(f"names {text}, which knows no countries: take one of countries or cities")
