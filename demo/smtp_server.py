"""A local SMTP mailbox: `python -m demo.smtp_server NUMBER MAILDIR` accepts any mail and files it into the Maildir.

NUMBER is the descriptor of a socket that listens already.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Awaitable
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

READY_WITHIN_SECONDS = 60  # on a small, busy machine


class _AtSocket(Controller):
    """Serves at this socket, where others bind one of their own."""

    def __init__(self, handler: Any, door: socket.socket) -> None:
        host, port = door.getsockname()
        super().__init__(handler, hostname=host, port=port, ready_timeout=READY_WITHIN_SECONDS)
        self._door = door

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._door)


def main() -> None:
    number, maildir = int(sys.argv[1]), sys.argv[2]
    controller = _AtSocket(Mailbox(maildir), socket.socket(fileno=number))
    controller.start()
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    controller.stop()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main()
