"""The keeper: holds the data folder's lock, runs both engines, and ends when nobody leases them."""

import fcntl
import json
import os
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from config.embedded.engine import Engine, Postgres, Valkey
from config.embedded.places import EmbeddedEngineError, Places, locate

GRACE_SECONDS = 1.0  # how long the engines outlive their last lease: `migrate`, then `runserver`
LOOK_EVERY_SECONDS = 0.25
MOST_RESTARTS = 5  # of one engine, in RESTARTS_WITHIN_SECONDS; after that it is broken
RESTARTS_WITHIN_SECONDS = 60.0
FIRST_DELAY_SECONDS = 0.1
LOCK_WITHIN_SECONDS = 30.0
LOCKED_BY_ANOTHER = 3  # exit code: another keeper was first


class Keeper:
    """Serves leases on the control socket. In one thread: a child dies with the thread that started it."""

    def __init__(self, places: Places, *, durable: bool, lock: int) -> None:
        self._places = places
        self._lock = lock
        self._engines: list[Engine] = [Postgres(places, durable=durable), Valkey(places, durable=durable)]
        self._leases: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()
        self._deaths: dict[str, list[float]] = {}
        self._stopping = False

    def run(self) -> None:
        """Start both engines, tell every client that connects, and return when the last has left."""
        try:
            for engine in self._engines:
                engine.start()
            with self._listen() as listener:
                self._serve(listener)
        finally:
            for engine in reversed(self._engines):
                engine.stop()

    def stop(self, *_: object) -> None:
        self._stopping = True

    def _is_removed(self) -> bool:
        """Whether somebody has removed the data folder: then the next keeper must not find us."""
        return os.fstat(self._lock).st_nlink == 0

    def _listen(self) -> socket.socket:
        self._places.control_socket.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self._places.control_socket))
        listener.listen(64)
        listener.settimeout(0)
        self._selector.register(listener, selectors.EVENT_READ)
        return listener

    def _serve(self, listener: socket.socket) -> None:
        alone_since = time.monotonic()
        while not self._stopping and not self._is_removed():
            for key, _ in self._selector.select(timeout=LOOK_EVERY_SECONDS):
                if self._stopping:  # a client that comes now gets no answer, and starts the next keeper
                    break
                if key.fileobj is listener:
                    self._lease(listener)
                elif isinstance(key.fileobj, socket.socket):
                    self._end_lease_if_gone(key.fileobj)
            self._revive()
            if self._leases:
                alone_since = time.monotonic()
            elif time.monotonic() - alone_since > GRACE_SECONDS:
                break
        # A client that connects from here on finds no socket, and starts the next keeper, which waits for our lock.
        self._places.control_socket.unlink(missing_ok=True)

    def _lease(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.settimeout(0)
        ready = {"database_url": self._places.database_url, "redis_url": self._places.redis_url, "pid": os.getpid()}
        try:
            connection.sendall(json.dumps(ready).encode() + b"\n")
        except OSError:
            connection.close()
            return
        self._leases.add(connection)
        self._selector.register(connection, selectors.EVENT_READ)

    def _end_lease_if_gone(self, connection: socket.socket) -> None:
        try:
            if connection.recv(64):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._selector.unregister(connection)
        self._leases.discard(connection)
        connection.close()

    def _revive(self) -> None:
        for engine in self._engines:
            if engine.has_died():
                time.sleep(self._delay(engine))
                with suppress(EmbeddedEngineError):  # it died again while starting: the next check counts that
                    engine.start()

    def _delay(self, engine: Engine) -> float:
        """Seconds to wait before this restart, more after every death. Raises EmbeddedEngineError after too many."""
        now = time.monotonic()
        recent = [at for at in self._deaths.get(engine.name, []) if now - at < RESTARTS_WITHIN_SECONDS]
        self._deaths[engine.name] = [*recent, now]
        if len(recent) >= MOST_RESTARTS:
            raise EmbeddedEngineError(f"{engine.name} keeps dying; see {engine.log}.")
        return FIRST_DELAY_SECONDS * float(2 ** len(recent) - 1)


def keep(data_dir: Path, *, durable: bool) -> int:
    """Be the keeper of `data_dir` until nobody needs it. Returns the exit code."""
    places = locate(data_dir)
    with (places.data_dir / "keeper.lock").open("w") as lock:
        if not _lock(lock.fileno(), places.control_socket):
            return LOCKED_BY_ANOTHER
        keeper = Keeper(places, durable=durable, lock=lock.fileno())
        signal.signal(signal.SIGTERM, keeper.stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        failure = places.data_dir / "keeper.error"
        failure.unlink(missing_ok=True)
        try:
            keeper.run()
        except EmbeddedEngineError as error:
            failure.write_text(str(error), encoding="utf-8")
            sys.stderr.write(f"{error}\n")
            return 1
    return 0


def _lock(descriptor: int, control_socket: Path) -> bool:
    """Take the lock; wait for a predecessor that is just stopping, but not for one that serves."""
    deadline = time.monotonic() + LOCK_WITHIN_SECONDS
    while time.monotonic() < deadline:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if _is_served(control_socket):
                return False
            time.sleep(0.05)
        else:
            return True
    return False


def _is_served(control_socket: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        return connection.connect_ex(str(control_socket)) == 0
