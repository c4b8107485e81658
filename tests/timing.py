"""How long something takes, on a machine that may be busy with something else just then."""

import time
from collections.abc import Callable

TRIES = 5


def takes_at_most(seconds: float, act: Callable[[], object], *, first: Callable[[], object] = lambda: None) -> bool:
    """Whether it can be done within so many seconds: what is slow by itself is slow each time. `first` is done before each try."""
    for _ in range(TRIES):
        first()
        began = time.monotonic()
        act()
        if time.monotonic() - began <= seconds:
            return True
    return False
