"""How a value of a change is written: durations as a person says them, and not as seconds."""

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

# Fields whose numbers are seconds.
IN_SECONDS = frozenset(
    {
        "access_lifetime",
        "code_lifetime",
        "code_resend_after",
        "reauthenticate_after",
        "refresh_grace",
        "refresh_lifetime",
        "window",
    }
)
UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def of(name: str, value: Any) -> str:
    """The value of the field of this name."""
    if value is None or value in ("", []):
        return _("nothing")
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if name in IN_SECONDS and isinstance(value, int | float):
        return duration(int(value))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def duration(seconds: int) -> str:
    """`25200` is "7 h", `5400` is "1 h 30 min"."""
    left = int(timedelta(seconds=seconds).total_seconds())
    parts = []
    for size, unit in UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}\u00a0{unit}")
    return " ".join(parts) or "0\u00a0s"
