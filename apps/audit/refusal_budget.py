"""How many refusals a process writes down: anybody can cause them, so a flood of them must not become a flood of writes.

Counted in this process's memory: in a flood, neither PostgreSQL nor Valkey is asked at all. What is not written down is
counted, and the count is written as soon as the flood allows it.
"""

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from uuid import UUID

import structlog

log = structlog.get_logger(__name__)

MINUTE = 60
FOR_ONE_CUSTOMER = 60  # statements a minute
FOR_ALL = 600
MOST_CUSTOMERS = 1_000  # whose unwritten refusals are counted apart; those of others are counted as of nobody


@dataclass
class Budget:
    """What one process may still write in this minute, and what it has left out. Requests come from many threads."""

    _minute: int = 0
    _written: "Counter[UUID | None]" = field(default_factory=Counter)
    _left_out: "Counter[UUID | None]" = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def allows(self, customer_id: UUID | None, *, at: float) -> bool:
        """Whether one more refusal of this customer may be written (`at`: unix time). If not, it is counted as left out."""
        with self._lock:
            self._begin_minute(int(at) // MINUTE)
            if self._written[customer_id] < FOR_ONE_CUSTOMER and self._written.total() < FOR_ALL:
                self._written[customer_id] += 1
                return True
            self._leave_out(customer_id)
            return False

    def take_left_out(self, customer_id: UUID | None) -> int:
        """How many of this customer's were left out since the last call."""
        with self._lock:
            return self._left_out.pop(customer_id, 0)

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._minute = 0
            self._written.clear()
            self._left_out.clear()

    def _begin_minute(self, minute: int) -> None:
        """Only forward: of two requests around the full minute, the later may have the earlier time."""
        if minute > self._minute:
            self._minute = minute
            self._written.clear()

    def _leave_out(self, customer_id: UUID | None) -> None:
        counted_as = customer_id if customer_id in self._left_out or len(self._left_out) < MOST_CUSTOMERS else None
        if not self._left_out[counted_as]:
            log.warning("refusals_left_out", customer_id=str(customer_id))
        self._left_out[counted_as] += 1


_by_action: dict[str, Budget] = {}


def of(action: str) -> Budget:
    """Each kind of event has its own. Else anybody could hide a guess, or an account's lock, among refusals of another kind."""
    return _by_action.setdefault(action, Budget())


def forget() -> None:
    """Begin anew."""
    for budget in _by_action.values():
        budget.forget()
