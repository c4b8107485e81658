"""The clock of leases. It goes on while the machine sleeps: a machine that wakes must not find a young lease."""

import time
from functools import partial

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # Linux has the first, others have only the second

NEVER = float("-inf")


now = partial(time.clock_gettime, _CLOCK)  # seconds since some moment in the past; never set back
