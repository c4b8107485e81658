"""How much is seeded."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """How many rows of each kind."""

    customers: int
    users: int
    sessions: int
    mails: int
    events: int

    def share(self, share: float) -> "Scale":
        """So much of it. All customers: they are few, and each call finds its own among them."""
        smaller = {what: max(1, round(count * share)) for what, count in vars(self).items()}
        return Scale(**{**smaller, "customers": self.customers})
