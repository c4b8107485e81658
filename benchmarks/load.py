"""Load by wrk, which is quick enough not to be what is measured: it sends prepared requests from a file (`load.lua`).

A closed loop: each connection sends its next request when it has its answer. So throughput is right, and a latency would not be
(a slow answer delays the requests that would have shown it: "coordinated omission"); none is given here.
"""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPResponse
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

SCRIPT = Path(__file__).with_name("load.lua")
CONNECTIONS = 16  # twice the server's threads: it never waits for wrk
LONGEST_ANSWER_SECONDS = 20


class WrkMissing(Exception):
    """wrk is not installed. The message says what to do."""


class LoadFailed(Exception):
    """An answer was not as expected, or none came: what was measured counts for nothing."""


@dataclass(frozen=True)
class Requests:
    """Prepared requests, in a file that `write` has written.

    `once`: each is good for one call. They are sent in their order then, and the last answer ends the load.
    """

    path: Path
    expected: int = 200  # the status of every answer
    once: bool = False


@dataclass(frozen=True)
class Answered:
    """What came back within `seconds` of wall time."""

    seconds: float
    statuses: Mapping[int, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(self.statuses.values())


def request(method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    length = {"Content-Length": str(len(body))} if body else {}
    lines = [f"{name}: {value}" for name, value in {"Host": "localhost", **(headers or {}), **length}.items()]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode() + body


def write(path: Path, requests: Iterable[bytes], *, expected: int = 200, once: bool = False) -> Requests:
    """Keep them for `send`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for one in requests:
            file.write(b"%d\n%s" % (len(one), one))
    return Requests(path, expected, once)


def read(path: Path) -> Iterator[bytes]:
    """What is in such a file: requests, or the bodies of answers."""
    with path.open("rb") as file:
        while length := file.readline():
            yield _exactly(file, int(length))


def send(url: str, requests: Requests, *, seconds: float, answers: Path | None = None) -> Answered:
    """Send them for so long. `answers`: where to keep the answers' bodies, in the order in which they came.

    Raises LoadFailed if anything but the expected status came back, or wrk lost a connection.
    """
    ends_at_last = int(seconds + LONGEST_ANSWER_SECONDS)
    limits = ["-t1", f"-c{CONNECTIONS}", f"-d{ends_at_last}s", f"--timeout={LONGEST_ANSWER_SECONDS}s"]
    arguments = [str(requests.path), str(seconds), "once" if requests.once else "again", str(answers or "")]
    command = [wrk(), *limits, "--script", str(SCRIPT), url, "--", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    answered = parse(result.stdout)
    if answered is None or set(answered.statuses) != {requests.expected}:
        raise LoadFailed(
            f"{url}, {requests.path.name}: expected {requests.expected} alone.\n{result.stdout}{result.stderr}"
        )
    return answered


def send_one(url: str, request: bytes) -> int:
    """Send this request at once, by a connection of its own. Returns the answer's status."""
    place = urlsplit(url)
    with socket.create_connection(
        (str(place.hostname), place.port or 80), timeout=LONGEST_ANSWER_SECONDS
    ) as connection:
        connection.sendall(request)
        answer = HTTPResponse(connection)
        answer.begin()
        answer.read()
        return answer.status


def parse(output: str) -> Answered | None:
    """What `load.lua` has reported; None if it did not come to its end."""
    seconds = re.search(r"^bench seconds ([\d.]+)$", output, re.MULTILINE)
    if not seconds:
        return None
    statuses = re.findall(r"^bench status (\d+) (\d+)$", output, re.MULTILINE)
    return Answered(float(seconds[1]), {int(status): int(count) for status, count in statuses})


def wrk() -> str:
    """Where wrk is. Raises WrkMissing."""
    found = shutil.which("wrk")
    if not found:
        raise WrkMissing("The benchmarks need wrk. Debian and Ubuntu: apt install wrk. macOS: brew install wrk.")
    return found


def wrk_version() -> str:
    says = subprocess.run([wrk(), "--version"], capture_output=True, text=True, check=False).stdout
    return (says.split() or [""])[1].removeprefix("debian/")


def _exactly(file: BinaryIO, length: int) -> bytes:
    found = file.read(length)
    if len(found) != length:
        raise ValueError(f"{file.name} ends within an entry")
    return found
