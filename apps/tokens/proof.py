"""When and how a session has proven who it is: the claims `auth_time` and `amr` (contract 3.1, RFC 8176, RFC 9470)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

PASSWORD, ONE_TIME_CODE, SMS, HARDWARE_KEY, SEVERAL_FACTORS = "pwd", "otp", "sms", "hwk", "mfa"
KNOWN = (PASSWORD, ONE_TIME_CODE, SMS, HARDWARE_KEY, SEVERAL_FACTORS)  # in the order in which tokens say them


@dataclass(frozen=True, slots=True)
class Proof:
    """`auth_time` in unix seconds; `amr` by the names of RFC 8176."""

    auth_time: int
    amr: tuple[str, ...]

    def is_fresh(self, *, max_age: int, now: datetime) -> bool:
        """Whether it was given at most `max_age` seconds ago."""
        return now.timestamp() - self.auth_time <= max_age

    def not_after(self, auth_time: int) -> "Proof":
        """The same, but never newer than this."""
        return self if self.auth_time <= auth_time else replace(self, auth_time=auth_time)


NOT_YET = Proof(0, ())  # for a sign-in that still waits for a factor


def ordered(amr: Iterable[str]) -> tuple[str, ...]:
    """Each once, in the order of KNOWN."""
    given = set(amr)
    return tuple(name for name in KNOWN if name in given)
