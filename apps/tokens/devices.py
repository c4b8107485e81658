"""The name of a device, as its user would call it."""

from functools import lru_cache

import ua_parser
from django.utils.translation import gettext

NAMES = {"Mac OS X": "macOS"}  # where the parser keeps a name that its maker has dropped


def name_of(user_agent: str) -> str:
    """ "Firefox on Windows", or as much of that as the user agent tells; else "Unknown device". In the language of now."""
    browser, system = parts_of(user_agent)
    if browser and system:
        return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or gettext("Unknown device")


@lru_cache(maxsize=1024)
def parts_of(user_agent: str) -> tuple[str, str]:
    """Browser and system. Empty for what the user agent does not tell."""
    found = ua_parser.parse(user_agent)
    browser = found.user_agent.family if found.user_agent else ""
    system = NAMES.get(found.os.family, found.os.family) if found.os else ""
    return browser or "", system or ""
