"""wrk's work: what it is given to send, what it reports, and that anything unexpected stops the run."""

from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

import pytest

from benchmarks import load
from benchmarks.load import Answered, LoadFailed

OUTPUT = """Running 21s test @ http://127.0.0.1:9911
  1 threads and 16 connections

bench seconds 1.500768
bench status 200 17420
bench status 503 3
"""


class App(BaseHTTPRequestHandler):
    """Answers with the path's last part as the status, and says who called."""

    protocol_version = "HTTP/1.1"
    seen: Counter[str] = Counter()
    counting = Lock()  # of many threads, two may see a path for the first time

    def do_GET(self) -> None:
        with App.counting:
            App.seen[self.path] += 1
        self.send_response(int(self.path.rpartition("/")[2]))
        self.send_header("Content-Length", str(len(self.path)))
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def url(wrk: str) -> Iterator[str]:
    App.seen = Counter()
    server = ThreadingHTTPServer(("127.0.0.1", 0), App)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_report_is_read() -> None:
    assert load.parse(OUTPUT) == Answered(1.500768, {200: 17420, 503: 3})
    assert Answered(1.5, {200: 2, 503: 3}).count == 5


def test_a_run_that_did_not_come_to_its_end_has_no_report() -> None:
    assert load.parse("Running 21s test\n  Socket errors: connect 0, read 0, write 0, timeout 16\n") is None


@pytest.mark.parametrize("count", [1, 5, 200], ids="{} requests".format)
def test_each_request_that_is_good_once_is_sent_once(url: str, tmp_path: Path, count: int) -> None:
    """Of fewer requests than wrk has connections, too."""
    paths = [f"/{number}/200" for number in range(count)]
    requests = load.write(tmp_path / "requests", (load.request("GET", path) for path in paths), once=True)
    answered = load.send(url, requests, seconds=15, answers=tmp_path / "answers")
    assert answered.statuses == {200: count}
    assert App.seen == Counter(paths)
    assert sorted(load.read(tmp_path / "answers")) == sorted(path.encode() for path in paths)


def test_what_is_counted_is_what_was_answered(url: str, tmp_path: Path) -> None:
    requests = load.write(tmp_path / "requests", [load.request("GET", f"/{number}/200") for number in range(3)])
    answered = load.send(url, requests, seconds=0.2)
    assert answered.count == App.seen.total() > 3
    assert set(App.seen) == {"/0/200", "/1/200", "/2/200"}


@pytest.mark.parametrize("status", [401, 500])
def test_a_single_unexpected_answer_stops_the_run(url: str, tmp_path: Path, status: int) -> None:
    paths = ["/200"] * 50 + [f"/{status}"] + ["/200"] * 49
    requests = load.write(tmp_path / "requests", (load.request("GET", path) for path in paths), once=True)
    with pytest.raises(LoadFailed, match=f"bench status {status} 1\n"):
        load.send(url, requests, seconds=15)


def test_a_request_goes_over_the_wire_as_it_was_made() -> None:
    made = load.request("POST", "/a?b=c", headers={"Host": "auth.example.com", "X-A": "1"}, body=b"{}")
    assert made == b"POST /a?b=c HTTP/1.1\r\nHost: auth.example.com\r\nX-A: 1\r\nContent-Length: 2\r\n\r\n{}"


def test_a_file_that_ends_within_an_entry_is_refused(tmp_path: Path) -> None:
    (tmp_path / "answers").write_bytes(b"5\nhello10\nworld")
    with pytest.raises(ValueError, match="ends within"):
        list(load.read(tmp_path / "answers"))


def test_without_wrk_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(load.WrkMissing, match="apt install wrk"):
        load.wrk()
