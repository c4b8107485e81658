"""The clock of leases. It goes on while the machine sleeps: a machine that wakes must not find a young lease."""

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # Linux has the first, others have only the second

NEVER = float("-inf")


def now() -> float:
    """Seconds since some moment in the past; never set back."""
    return time.clock_gettime(_CLOCK)
