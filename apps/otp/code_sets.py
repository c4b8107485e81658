"""Which codes belong together: those of one address (or user) and one purpose are a set.

A set has up to three living codes, each until its own expiry, and one budget of wrong tries that all of them share. Codes are
kept as HMAC-SHA256 under a key that depends on customer, address and purpose: a copy of Valkey's memory is of no use, and
comparing what is stored tells nothing about a code through time.
"""

from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from apps.core import valkey
from apps.otp import keyed_digests

MOST_ALIVE = 3
BUDGET = 5  # wrong tries that the codes of a set share


@dataclass(frozen=True)
class CodeSet:
    """A customer's codes for a subject (an address as it is compared, or a user's id) and a purpose.

    `bound_to`: of the subject's codes, those of one challenge or number; all share the wait and the budget.
    `in_sandbox`: asked for, and to be redeemed, with a test key. Live codes are other codes.
    """

    customer_id: UUID
    subject: str
    purpose: str
    bound_to: str = ""
    in_sandbox: bool = False

    @cached_property
    def name(self) -> str:
        """How the set is named, in Valkey and on its messages: of one customer (contract 1.5)."""
        return keyed_digests.of(f"{self.customer_id}\0{self._world}{self.purpose}\0{self.subject}")

    @property
    def _world(self) -> str:
        return "sandbox\0" if self.in_sandbox else ""

    def mac(self, code: str) -> str:
        """HMAC-SHA256 of the code, under this set's own key."""
        parts = ("gatehouse/otp/v1", str(self.customer_id), self._world + self.purpose, self.subject, self.bound_to)
        return keyed_digests.of(code, info="\0".join(parts))

    def key(self, what: str) -> str:
        return valkey.key(self.customer_id, what, self.name)
