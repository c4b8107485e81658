"""C2.3.1: contents stream through a real server: memory does not grow with them, and what breaks off leaves nothing."""

import http.client
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from apps.files import sweeping
from apps.files.models import StoredObject
from demo import file_stream
from demo.client import STREAM, TokenKeys
from tests.files.keeping import PDF, Place
from tests.running import Server
from tests.worker import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.lengthy]
MIB = 2**20
LARGE = 200 * MIB
MOST_GROWTH = 48 * MIB  # of the server's memory, whatever the content's length
BLOCK = bytes(range(256)) * (MIB // 256)


def content(size: int) -> Iterator[bytes]:
    """So many bytes of a PDF, one MiB at a time."""
    yield PDF
    left = size - len(PDF)
    while left > 0:
        yield BLOCK[:left]
        left -= len(BLOCK)


class Streaming(Place):
    """A user of a server that runs, with a storage of its own."""

    def __init__(self, client_for: Any, storage: Path) -> None:
        super().__init__(client_for, storage, largest_file_bytes=LARGE)
        self.server = Server(FILES_ROOT=str(storage))
        wait_until(self.server.answers)

    @contextmanager
    def connected(self) -> Iterator[http.client.HTTPConnection]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)) as connection:
            yield connection

    def headers(self, size: int | None) -> dict[str, str]:
        length = {} if size is None else {"Content-Length": str(self.sealed_length(size))}
        return {**STREAM, **length, "Authorization": f"Bearer {self.token}"}

    def sealed_length(self, size: int) -> int:
        return file_stream.encrypted_length(size, key_id=TokenKeys(self.token).kid)

    def sealed(self, file_id: str, size: int) -> Iterator[bytes]:
        keys = TokenKeys(self.token)
        material = keys.file_material("PUT", f"/api/files/{file_id}/content")
        return file_stream.encrypted(content(size), material=material, key_id=keys.kid)

    def upload(self, file_id: str, size: int, *, in_chunks: bool = False) -> int:
        """The status. `in_chunks`: nobody says before how long it is."""
        path, headers = f"/api/files/{file_id}/content", self.headers(None if in_chunks else size)
        with self.connected() as connection:
            connection.request("PUT", path, self.sealed(file_id, size), headers, encode_chunked=in_chunks)
            with connection.getresponse() as answer:
                return answer.status

    def download(self, file_id: str) -> tuple[int, str]:
        """How long the content is, and its SHA-256."""
        keys, path = TokenKeys(self.token), f"/api/files/{file_id}/content"
        material, digest, length = keys.file_material("GET", path), sha256(), 0
        with self.connected() as connection:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
            with connection.getresponse() as answer:
                assert answer.status == 200
                pieces = iter(lambda: answer.read(65_536), b"")
                for piece in file_stream.decrypted(pieces, material=material, key_id=keys.kid):
                    digest.update(piece)
                    length += len(piece)
        return length, digest.hexdigest()

    def begin_download(self, file_id: str) -> int:
        """The status. The connection is closed then, whatever is still to come."""
        with self.connected() as connection:
            connection.request("GET", f"/api/files/{file_id}/content", headers=self.headers(None))
            with connection.getresponse() as answer:
                return answer.status

    @contextmanager
    def half_an_upload(self, file_id: str, size: int) -> Iterator[None]:
        """About a half of the stream has been sent, and has reached the storage. Afterwards the connection is closed."""
        with self.connected() as connection:
            connection.putrequest("PUT", f"/api/files/{file_id}/content")
            for name, value in self.headers(size).items():
                connection.putheader(name, value)
            connection.endheaders()
            half = takewhile(lambda sent: sent[0] < size // 2**17, enumerate(self.sealed(file_id, size)))
            for _number, piece in half:
                connection.send(piece)
            wait_until(lambda: bool(self.objects()))
            yield

    def peak_memory(self) -> int:
        """Of the server's worker, in bytes, since it was born."""
        (worker,) = workers_of(self.server.process.pid)
        status = Path(f"/proc/{worker}/status").read_text(encoding="ascii")
        return int(status.split("VmHWM:")[1].split()[0]) * 1024


def workers_of(parent: int) -> list[int]:
    """Processes that a process has started, and that listen with it."""
    found = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
    return [int(pid) for pid in found if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.fixture
def streaming(client_for: Any, storage: Path) -> Iterator[Streaming]:
    place = Streaming(client_for, storage)
    yield place
    place.server.stop()


def digest_of(size: int) -> str:
    digest = sha256()
    for piece in content(size):
        digest.update(piece)
    return digest.hexdigest()


def test_200_mib_go_up_and_down_and_the_servers_memory_stays_flat(streaming: Streaming) -> None:
    small = streaming.announced(MIB)
    assert streaming.upload(small, MIB, in_chunks=True) == 200, "also when nobody says how long it is"
    assert streaming.download(small) == (MIB, digest_of(MIB))
    before = streaming.peak_memory()
    file_id = streaming.announced(LARGE)
    assert streaming.upload(file_id, LARGE) == 200
    assert streaming.download(file_id) == (LARGE, digest_of(LARGE))
    assert streaming.peak_memory() - before < MOST_GROWTH


def test_a_cancelled_upload_and_a_killed_server_leave_nothing(streaming: Streaming) -> None:
    """What a process can still undo it undoes at once; what it cannot, the sweep finds."""
    file_id = streaming.announced(8 * MIB)
    with streaming.half_an_upload(file_id, 8 * MIB):
        pass
    wait_until(lambda: not streaming.objects() and not StoredObject.objects.exists())
    streaming.require_nothing_kept()
    other = streaming.announced(8 * MIB)
    with streaming.half_an_upload(other, 8 * MIB):
        assert streaming.upload(other, 8 * MIB) == 200, "a connection that hangs holds up no other try"
    wait_until(lambda: StoredObject.objects.count() == 1)
    streaming.require_nothing_kept(but=[other])
    streaming.client.delete(f"/api/files/{other}", token=streaming.token)
    sweeping.sweep(now=timezone.now())
    with streaming.half_an_upload(file_id, 8 * MIB):
        for process in (*workers_of(streaming.server.process.pid), streaming.server.process.pid):
            with suppress(ProcessLookupError):  # who has lost its worker ends by itself
                os.kill(process, signal.SIGKILL)
        streaming.server.stop()
    assert len(streaming.objects()) == 1
    assert sweeping.sweep(now=timezone.now() + timedelta(minutes=11)) == 1
    streaming.require_nothing_kept()
    streaming.server = Server(FILES_ROOT=str(streaming.storage))
    wait_until(streaming.server.answers)
    assert streaming.upload(file_id, 8 * MIB) == 200, "and it can be repeated"


def test_a_client_that_asks_first_sends_no_content_in_vain(streaming: Streaming) -> None:
    """`Expect: 100-continue` (RFC 9110, section 10.1.1). And who breaks off a download gives its place back."""
    file_id = streaming.announced(MIB)
    for token, status in (("nonsense", b"HTTP/1.1 400"), (streaming.token, b"HTTP/1.1 100")):
        with socket.create_connection(("127.0.0.1", streaming.server.port), timeout=30) as wire:
            headers = {**streaming.headers(MIB), "Authorization": f"Bearer {token}", "Expect": "100-continue"}
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            wire.sendall(f"PUT /api/files/{file_id}/content HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode())
            assert wire.recv(12) == status
    assert streaming.upload(file_id, MIB) == 200
    for _ in range(12):  # thrice as many as there are places
        wait_until(lambda: streaming.begin_download(file_id) == 200)  # as soon as the server has noticed the one before
