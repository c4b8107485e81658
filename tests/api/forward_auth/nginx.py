"""nginx with the configuration of docs/examples, in front of the running service and of an app that shows what it gets."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from django.conf import settings

from tests.ports import free_port
from tests.worker import wait_until

EXAMPLE: Path = settings.BASE_DIR / "docs" / "examples" / "forward_auth" / "nginx" / "nginx.conf"
HOST = "app.example.com"
KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def program() -> str | None:
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")


class App(BaseHTTPRequestHandler):
    """Says which headers and how much of a body it has got. As a WebSocket, it says the same bytes again."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.headers.get("Upgrade"):
            self._echo()
            return
        length = int(self.headers.get("Content-Length") or 0)
        said = {"method": self.command, "headers": self.headers.items(), "bytes": len(self.rfile.read(length))}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if self.command != "HEAD" else b"")

    do_HEAD = do_POST = do_GET  # noqa: N815  (as the server looks for them)

    def _echo(self) -> None:
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.end_headers()
        self.wfile.write(self.rfile.read(5))
        self.close_connection = True

    def log_message(self, *_arguments: object) -> None:
        pass


class Front:
    """nginx, as a client sees it."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, path: str = "/", *, method: str = "GET", body: bytes | None = None, **headers: str) -> "Seen":
        """Names of headers as they are: see `asking_raw` for those that Python cannot write as names."""
        return self.ask_raw(path, [(name.replace("_", "-"), value) for name, value in headers.items()], method, body)

    def ask_raw(
        self, path: str, headers: list[tuple[str, str]], method: str = "GET", body: bytes | None = None
    ) -> "Seen":
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.putrequest(method, path, skip_host=True)
            for name, value in [("Host", HOST), *headers, *([("Content-Length", str(len(body)))] if body else [])]:
                connection.putheader(name, value)
            connection.endheaders()
            with suppress(OSError):  # refused before all of it was read
                connection.send(body or b"")
            return Seen(connection.getresponse())

    def handshake(self, *lines: str) -> socket.socket:
        """A WebSocket's beginning."""
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        head = ("GET /live HTTP/1.1", f"Host: {HOST}", "Upgrade: websocket", "Connection: Upgrade", *lines)
        opened.sendall("\r\n".join((*head, "", "")).encode())
        return opened


class Seen:
    """The answer that a client gets, and in it what the app has got."""

    def __init__(self, response: HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def app_got(self) -> dict[str, Any]:
        assert self.status == 200, (self.status, self.body)
        return dict(json.loads(self.body))

    def header_at_app(self, name: str) -> list[str]:
        """The values under every name that an app might take for this one."""
        alike = name.lower().replace("-", "_")
        got: list[tuple[str, str]] = self.app_got["headers"]
        return [value for key, value in got if key.lower().replace("-", "_").replace(".", "_") == alike]


@contextmanager
def front(folder: Path, *, gatehouse: int, changes: Mapping[str, str]) -> Iterator[Front]:
    """`gatehouse`: its port. `changes`: what to put in the place of the example's names."""
    app = ThreadingHTTPServer(("127.0.0.1", 0), App)
    app.daemon_threads = True
    Thread(target=app.serve_forever, daemon=True).start()
    port = free_port()
    ports = {"127.0.0.1:8000": f"127.0.0.1:{gatehouse}", "127.0.0.1:3000": f"127.0.0.1:{app.server_address[1]}"}
    configuration = EXAMPLE.read_text(encoding="utf-8")
    for old, new in {**ports, "listen 8080": f"listen 127.0.0.1:{port}", **changes}.items():
        assert old in configuration, old
        configuration = configuration.replace(old, new)
    process = _start(folder, configuration)
    try:
        _wait_for(port, process)
        yield Front(port)
    finally:
        process.terminate()
        process.wait(timeout=60)
        app.shutdown()
        app.server_close()


def _start(folder: Path, configuration: str) -> "subprocess.Popen[bytes]":
    own = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in KINDS)
    written = f"daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\n{configuration}"
    path = folder / "nginx.conf"
    path.write_text(written.replace("http {", f"http {{\naccess_log off;\n{own}", 1), encoding="utf-8")
    return subprocess.Popen(
        [str(program()), "-e", "stderr", "-p", str(folder), "-c", str(path)], stdin=subprocess.DEVNULL
    )


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    def listens() -> bool:
        assert process.poll() is None, "nginx has ended"
        with socket.socket() as opened:
            return opened.connect_ex(("127.0.0.1", port)) == 0

    wait_until(listens)
