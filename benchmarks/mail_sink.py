"""A mail server that takes everything and keeps a line for each mail: `python -m benchmarks.mail_sink PORT FILE`.

It is a process of its own, whose CPU time is told apart, and as light as one can be: the machine's other work is what is measured.
Each line is an address, and when the server had the whole mail (seconds since 1970).
"""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO, cast

HOST = "127.0.0.1"
GREETING = b"220 sink ESMTP\r\n"
OK = b"250 2.0.0 Ok\r\n"
EXTENSIONS = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
GO_ON = b"354 Go on\r\n"
BYE = b"221 2.0.0 Bye\r\n"
END_OF_LINE, END_OF_MAIL = b"\r\n", b"\r\n.\r\n"


class Conversation(asyncio.Protocol):
    """With one client (RFC 5321, RFC 2920)."""

    _transport: asyncio.Transport

    def __init__(self, keep: Callable[[str], None]) -> None:
        self._keep = keep
        self._unread = b""
        self._recipient = ""
        self._is_in_mail = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        """Answer all that is whole by now. The answers to commands that came together go together."""
        self._unread += data
        answers = []
        while (part := self._next()) is not None:
            answers.append(self._take_mail() if self._is_in_mail else self._answer(part))
        self._transport.write(b"".join(answers))
        if BYE in answers:
            self._transport.close()

    def _next(self) -> bytes | None:
        """The next command, or the mail; None if it has not come yet."""
        part, end, rest = self._unread.partition(END_OF_MAIL if self._is_in_mail else END_OF_LINE)
        if not end:
            return None
        self._unread = rest
        return part

    def _take_mail(self) -> bytes:
        self._is_in_mail = False
        self._keep(self._recipient)
        return OK

    def _answer(self, command: bytes) -> bytes:
        match command[:4].upper():
            case b"EHLO":
                return EXTENSIONS
            case b"RCPT":
                self._recipient = command.partition(b"<")[2].partition(b">")[0].decode()
            case b"DATA":
                self._is_in_mail = True
                return GO_ON
            case b"QUIT":
                return BYE
        return OK


async def serve(port: int, file: TextIO) -> None:
    def keep(recipient: str) -> None:
        print(recipient, time.time(), file=file, flush=True)

    server = await asyncio.get_running_loop().create_server(lambda: Conversation(keep), HOST, port)
    await server.serve_forever()


if __name__ == "__main__":
    with Path(sys.argv[2]).open("a", encoding="utf-8") as written:
        asyncio.run(serve(int(sys.argv[1]), written))
