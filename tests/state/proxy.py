"""Something between a process and PostgreSQL that can hold back what the server says, or end the connection."""

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
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._accepting = socket.socket(socket.AF_UNIX)
        self._accepting.bind(str(Path(self.host) / f".s.PGSQL.{self._port}"))
        self._accepting.listen()
        threading.Thread(target=self._accept, daemon=True).start()

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
            self._flow.wait_for(lambda: self._is_open or self._passes)
            if not self._is_open:
                self._passes -= 1

    def cut(self) -> None:
        """End every connection."""
        for pair in self._pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.let_go()
        self._accepting.close()
        self.cut()
        self._folder.cleanup()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._accepting.accept()
                server = self._connected()
                self._pairs.append((client, server))
                for source, sink, held in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._relay, args=(source, sink, held), daemon=True).start()

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
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.close()
