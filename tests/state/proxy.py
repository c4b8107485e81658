"""Something between a process and PostgreSQL that can hold back what the server says, end connections, or take it away."""

import contextlib
import os
import socket
import tempfile
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


class Proxy:
    """`host` in the place of PostgreSQL's leads through it."""

    def __init__(self) -> None:
        direct = urlsplit(os.environ["DATABASE_URL"])
        self._port = direct.port or 5432
        self._target = parse_qs(direct.query).get("host", [direct.hostname or "127.0.0.1"])[0]
        self._folder = tempfile.TemporaryDirectory(prefix="gh-proxy-")
        self.host = self._folder.name
        self._flow = threading.Condition()
        self._is_open, self._passes = True, 0
        self.held_back = 0  # how much waits to go on: it was said, and has not arrived
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._relays: list[threading.Thread] = []
        self._place = Path(self.host) / f".s.PGSQL.{self._port}"
        self.come_back()

    def url(self, direct: str) -> str:
        """This URL of the database, by way of the proxy."""
        parts = urlsplit(direct)
        user = parts.netloc.rpartition("@")[0]
        return parts._replace(netloc=f"{user}@:{self._port}", query=f"host={self.host}").geturl()

    def come_back(self) -> None:
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self._place))
        self._listening.listen()
        self._accepting = threading.Thread(target=self._accept, args=(self._listening,), daemon=True)
        self._accepting.start()

    def go_away(self) -> None:
        """As when PostgreSQL is stopped: every connection ends, and nobody is there to connect to."""
        self._place.unlink()
        self._listening.shutdown(socket.SHUT_RDWR)  # wakes who is waiting in `accept`, which `close` does not
        self._accepting.join()
        self._listening.close()
        self.cut()

    def hold(self) -> None:
        """From now on what the server says stays on its way."""
        with self._flow:
            self._is_open = False

    def let_one_go(self) -> None:
        """The first thing that is held back arrives; what was said after it does not."""
        with self._flow:
            self._passes += 1
            self._flow.notify()

    def let_go(self) -> None:
        with self._flow:
            self._is_open = True
            self._flow.notify_all()

    def _wait_for_its_turn(self) -> None:
        with self._flow:
            self.held_back += 1
            self._flow.wait_for(lambda: self._is_open or self._passes)
            self.held_back -= 1
            if not self._is_open:
                self._passes -= 1

    def cut(self) -> None:
        """End every connection."""
        for pair in self._pairs:
            _shut(*pair)

    def close(self) -> None:
        self.let_go()
        if self._place.exists():
            self.go_away()
        for relay in self._relays:
            relay.join()
        for pair in self._pairs:
            for end in pair:
                end.close()
        self._folder.cleanup()

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                server = self._connected()
                self._pairs.append((client, server))
                for source, sink, held in ((client, server, False), (server, client, True)):
                    self._relays.append(threading.Thread(target=self._relay, args=(source, sink, held), daemon=True))
                    self._relays[-1].start()

    def _connected(self) -> socket.socket:
        if not self._target.startswith("/"):
            return socket.create_connection((self._target, self._port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{self._target}/.s.PGSQL.{self._port}")
        return server

    def _relay(self, source: socket.socket, sink: socket.socket, held: bool) -> None:
        with contextlib.suppress(OSError):
            while said := source.recv(65536):
                if held:
                    self._wait_for_its_turn()
                sink.sendall(said)
        _shut(
            source, sink
        )  # not closed: PostgreSQL would hear nothing of it while the other direction is waiting to read


def _shut(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
