"""One deadline for a whole conversation with a stranger: a socket's timeout begins anew with every byte that drips in."""

import socket
import time
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Deadline:
    """When a conversation must be over (`time.monotonic`), and how many seconds each wait in it may take at most."""

    at: float
    step: float

    @classmethod
    def after(cls, seconds: float, *, step: float | None = None) -> Self:
        """So many seconds from now. Without `step` one wait may take all of them."""
        return cls(time.monotonic() + seconds, seconds if step is None else step)

    def next_wait(self) -> float:
        """Seconds that the next wait may take. Raises TimeoutError when none are left."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the conversation took too long")
        return min(left, self.step)

    def hurry(self, stream: socket.socket) -> None:
        """Bound the next wait on this socket. Raises TimeoutError when no time is left."""
        stream.settimeout(self.next_wait())
