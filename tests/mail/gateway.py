"""A gateway that takes SMS over HTTP: Twilio, or any other, with whatever it answers."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ACCEPTED = b'{"sid": "SM1"}'
DRIP_SECONDS = 0.05


class Gateway(ThreadingHTTPServer):
    """What it got, and what it will answer: `statuses` in turn, then 201; always with `answer`.

    `raw`: the very bytes of the answer instead. `dripping`: one byte at a time. `echoing`: with what it got, as Twilio does.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.answer = ACCEPTED
        self.raw = b""
        self.dripping = self.echoing = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Conversation(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), body))
        if self.server.raw:
            self._write(self.server.raw)
        else:
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        status = self.server.statuses.pop(0) if self.server.statuses else 201
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(_echo(body) if self.server.echoing else self.server.answer)

    def _write(self, raw: bytes) -> None:
        with suppress(OSError):
            for number in range(len(raw)) if self.server.dripping else ():
                self.wfile.write(raw[number : number + 1])
                time.sleep(DRIP_SECONDS)
            self.wfile.write(b"" if self.server.dripping else raw)

    def log_message(self, *_arguments: object) -> None:
        pass


def _echo(body: bytes) -> bytes:
    got = json.loads(body)
    return json.dumps(
        {"account": "AC1", "body": got["text"], "to": got["to"], "code": got["to"].lstrip("+"), "sid": "SM1"}
    ).encode()


@contextmanager
def playing() -> Iterator[Gateway]:
    gateway = Gateway()
    thread = threading.Thread(target=gateway.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        gateway.shutdown()
        gateway.server_close()
        thread.join()
