"""What is made of settings: made once, for they never change while a process lives.

Django's settings are lazy, and to look one up costs 0.4 µs. Only tests change them, and say so.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from django.core.signals import setting_changed

Made = TypeVar("Made")


def made_once(make: Callable[[], Made]) -> Callable[[], Made]:
    """The same function, but it remembers its result."""
    remembered = cache(make)

    def forget(**_what: Any) -> None:
        remembered.cache_clear()

    setting_changed.connect(forget, weak=False)
    return remembered
