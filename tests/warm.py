"""Processes that start warm: forked from one that has imported the libraries, and nothing of ours.

    process = warm.Process(["-m", "granian", …], environment={…}, output=file)

takes what would follow `python` on a command line, and is as good as `subprocess.Popen`. Importing the libraries takes two thirds of the
CPU of a start (1.6 of 2.3 seconds for a server), and the tests start hundreds. What is ours, what asks for settings when it is imported,
and the settings, each process loads for itself. Tests about the start itself begin cold, with `subprocess`.
"""

import atexit
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

NUMBER = struct.Struct("q")  # what is told of a process: first its id, at its end its exit code
ROOT = Path(__file__).resolve().parent.parent
ENDED = "the process that all others are forked from has ended"
# What takes long to import, and needs no settings: there are none yet.
LIBRARIES = """
    structlog kombu.transport.redis celery.bin.celery celery.bin.worker celery.apps.worker
    celery.worker.consumer celery.concurrency.prefork celery.fixups.django celery.app.amqp celery.app.log
    celery.app.control celery.loaders.app redis.sentinel psycopg django.core.management django.core.wsgi
    django.db.backends.postgresql.base django.contrib.admin django.contrib.postgres.fields
    django.template.defaulttags django.template.loader_tags django.test django.contrib.auth.apps
    rest_framework.compat whitenoise django_otp maxminddb phonenumbers cryptography.x509
    cryptography.hazmat.primitives.ciphers.aead jwt joserfc.jwk joserfc.jwe ua_parser orjson granian.cli
    granian.server environ pyotp publicsuffixlist smtplib uuid_utils.compat corsheaders.apps
    corsheaders.middleware drf_spectacular.apps drf_spectacular.checks drf_spectacular.utils
    rest_framework.authentication rest_framework.mixins rest_framework.negotiation rest_framework.permissions
    rest_framework.response rest_framework_simplejwt.utils unfold.dataclasses unfold.sections
    unfold.contrib.filters.apps whitenoise.middleware whitenoise.runserver_nostatic
    django.contrib.admin.templatetags.admin_list django.contrib.admin.templatetags.admin_modify
    django.contrib.admin.views.main django.contrib.admindocs.views django.contrib.auth.hashers
    django.contrib.auth.password_validation django.contrib.auth.tokens django.contrib.auth.validators
    django.contrib.contenttypes.apps django.contrib.humanize.templatetags.humanize django.contrib.messages.apps
    django.contrib.messages.middleware django.contrib.sessions.backends.db django.contrib.sessions.middleware
    django.contrib.sites.shortcuts django.contrib.staticfiles.apps django.db.migrations.executor
    django.middleware.clickjacking django.middleware.gzip django.middleware.http django.middleware.security
    django.template.loaders.app_directories django.template.loaders.cached django.templatetags.cache
    django.templatetags.l10n django.templatetags.tz
"""
# What each process imports for itself, as it needs the settings: its compiled code is read once.
READ_ONCE = """
    apps config django.contrib django_otp django_redis drf_spectacular rest_framework rest_framework_simplejwt
    unfold
"""
RARE = {"management", "migrations", "tests"}  # folders whose code few of them need


class Process:
    """A process of its own, running `command`. Its input is empty; `output` and `errors` are files."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        output: IO[Any],
        errors: IO[Any] | None = None,
        cwd: Path = ROOT,
        start_new_session: bool = False,
    ) -> None:
        self.returncode: int | None = None
        self._command = list(command)
        self._line, theirs = socket.socketpair()
        with theirs, Path(os.devnull).open("rb") as empty:
            files = [theirs.fileno(), *(each.fileno() for each in (empty, output, errors or output))]
            wanted = {"command": self._command, "environment": dict(environment), "folder": str(cwd)}
            wanted["session"] = start_new_session
            _Parent.present().begin(json.dumps(wanted).encode(), files)
        (self.pid,) = NUMBER.unpack(self._line.recv(NUMBER.size))

    def poll(self) -> int | None:
        """The exit code, negative if a signal has ended it; None as long as it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(timeout=0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code as soon as it has ended. Raises subprocess.TimeoutExpired after so many seconds."""
        if self.returncode is None:
            self._line.settimeout(timeout)
            try:
                told = self._line.recv(NUMBER.size)
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self._command, timeout or 0) from None
            self._line.close()
            assert told, ENDED
            (self.returncode,) = NUMBER.unpack(told)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def end(self, *, within: float) -> None:
        """SIGTERM, and SIGKILL for whom that does not end."""
        self.terminate()
        self.see_end(within=within)

    def see_end(self, *, within: float) -> None:
        """After so many seconds by SIGKILL, which its children get as well: it must have a session of its own."""
        try:
            self.wait(within)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):  # it has just ended
                os.killpg(self.pid, signal.SIGKILL)
            self.wait()

    def __del__(self) -> None:
        self._line.close()


def run(
    command: Sequence[str], *, environment: Mapping[str, str], cwd: Path = ROOT, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run to its end, and return its code and what it has written."""
    with ExitStack() as files:
        output, errors = (files.enter_context(tempfile.TemporaryFile("w+")) for _ in range(2))
        process = Process(command, environment=environment, output=output, errors=errors, cwd=cwd)
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(process._command, code, output.read(), errors.read())


def written(file: IO[Any]) -> str:
    """What a process has written into this file so far. To read it in the usual way would move the place at which the process goes on."""
    number = file.fileno()
    return os.pread(number, os.fstat(number).st_size, 0).decode(errors="replace")


class _Parent:
    """The process that all others are forked from, seen from the tests. One for each worker of pytest, as soon as it is needed."""

    _one: "_Parent | None" = None
    _lock = threading.Lock()

    @classmethod
    def present(cls) -> "_Parent":
        with cls._lock:
            cls._one = cls._one or cls()
            return cls._one

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.warm", str(theirs.fileno())],
                cwd=ROOT,
                env={name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self._end)

    def begin(self, wanted: bytes, files: list[int]) -> None:
        with self._lock, tempfile.TemporaryFile() as request:
            request.write(wanted)
            request.seek(0)
            socket.send_fds(self._control, [b"+"], [request.fileno(), *files])
            assert self._control.recv(1), ENDED

    def _end(self) -> None:
        self._control.close()
        self._process.wait()


class _Forks:
    """The same process, seen from within."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._lines: dict[int, socket.socket] = {}  # of those that run, by their ids
        self._waker, self._woken = socket.socketpair()
        for end in (self._waker, self._woken):
            end.setblocking(False)

    def serve(self) -> dict[str, Any] | None:
        """Returns in each child with what it shall run; in the parent with None, when the tests have ended."""
        signal.set_wakeup_fd(self._waker.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._woken in ready:
                    self._woken.recv(4096)
                    self._tell_who_has_ended()
                if self._control in ready:
                    message, files, _, _ = socket.recv_fds(self._control, 1, 5)
                    if not message:
                        return None
                    if request := self._fork(*files):
                        return request

    def _fork(self, request: int, line: int, *streams: int) -> dict[str, Any] | None:
        with os.fdopen(request) as file:
            wanted: dict[str, Any] = json.load(file)
        told = socket.socket(fileno=line)
        if pid := os.fork():
            for stream in streams:
                os.close(stream)
            self._lines[pid] = told
            self._control.send(b"+")
            return None
        self._forget()
        if wanted["session"]:
            os.setsid()
        told.send(NUMBER.pack(os.getpid()))  # by now it can be signalled as the group that it leads
        told.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        return wanted

    def _forget(self) -> None:
        """A child keeps nothing of what its parent was."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for end in (self._control, self._waker, self._woken, *self._lines.values()):
            end.close()

    def _tell_who_has_ended(self) -> None:
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                with self._lines.pop(ended[0]) as line, suppress(OSError):  # nobody may listen any more
                    line.send(NUMBER.pack(os.waitstatus_to_exitcode(ended[1])))


def _become(wanted: dict[str, Any]) -> None:
    """Go on as `python …` would."""
    os.environ.clear()
    os.environ.update(wanted["environment"])
    os.chdir(wanted["folder"])
    sys.path[0] = wanted["folder"]
    first, *rest = wanted["command"]
    if first == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif first == "-c":
        sys.argv = ["-c", *rest[1:]]
        exec(rest[0], {"__name__": "__main__"})  # noqa: S102  (as Python itself does)
    else:
        sys.argv = wanted["command"]
        runpy.run_path(first, run_name="__main__")


def _prepare() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the tests, and they end this
    gc.disable()
    for library in LIBRARIES.split():
        import_module(library)
    _remember_code()
    gc.enable()
    gc.freeze()  # each child would look at all of it again


def _remember_code() -> None:
    """Of what is imported later: to find and read a thousand compiled modules is an eighth of what is left of a start."""
    read = SourceFileLoader.get_code
    folders = [Path(place) for package in READ_ONCE.split() for place in _places(package)]
    paths = [path for folder in folders for path in folder.rglob("*.py") if RARE.isdisjoint(path.parts)]
    known = {str(path): read(SourceFileLoader("", str(path)), "") for path in paths}
    SourceFileLoader.get_code = lambda loader, name: known.get(loader.path) or read(loader, name)  # type: ignore[method-assign]


def _places(package: str) -> Iterable[str]:
    spec = find_spec(package)
    assert spec and spec.submodule_search_locations, package
    return spec.submodule_search_locations


if __name__ == "__main__":
    _prepare()
    if request := _Forks(socket.socket(fileno=int(sys.argv[1]))).serve():
        _become(request)
