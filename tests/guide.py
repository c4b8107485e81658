"""Follows docs/production.md on this machine: what it shows is typed as it stands there, by a user without rights of its own.

Root's part has stand-ins: the engines of the tests for Debian's, processes that are started from the unit files for systemd, nginx
as this user on other ports, and an authority of the test's own for certbot.
"""

import os
import pty
import pwd
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from config.embedded import engine, places
from tests.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "docs" / "production.md"
COPIED = ("apps", "config", "demo", "deploy", "locale", "requirements", "templates", "manage.py")
DATABASE = "guide"  # a role and a database of their own beside those of the tests


def blocks(user: str) -> list[str]:
    """The blocks of commands that this user types, in order."""
    text = GUIDE.read_text(encoding="utf-8")
    return re.findall(rf"^```sh\n# as {user}[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[str]:
    """One by one: a line that ends in a backslash goes on, and a here-document belongs to its command."""
    found = re.findall(
        r"^(?:[^\n]*\\\n)*[^\n]*<<'END'\n.*?^END$|^(?:[^\n]*\\\n)*[^\n]+$", block, re.MULTILINE | re.DOTALL
    )
    return [command.strip() for command in found]


class Machine:
    """A folder that stands for the whole machine, and what runs on it."""

    def __init__(self, folder: Path, *, mail_url: str) -> None:
        self.folder = folder
        self.home = folder / "srv"
        self.web_port, self.http_port, self.https_port = free_port(), free_port(), free_port()
        self.mail_url = mail_url
        self.redis_socket = folder / "redis.sock"
        self.certificate, self.key = folder / "certificate.pem", folder / "key.pem"
        self.access_log = folder / "nginx-access.log"
        self.base_url = f"https://localhost:{self.https_port}"
        self.postgres_bin, self.valkey_server = places.binaries()
        self.database_socket = parse_qs(urlsplit(os.environ["DATABASE_URL"]).query)["host"][0]
        self.user, self.python = _without_rights()
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    # --- What it is called there, and here --------------------------------------------------------------------------------

    def here(self, text: str) -> str:
        """A text of the guide, with the places and names of this machine."""
        replaced = {
            "/srv/gatehouse": str(self.home),
            "postgresql://gatehouse@/gatehouse": f"postgresql://{DATABASE}@/{DATABASE}",
            "/run/postgresql": self.database_socket,
            "/run/redis/redis-server.sock": str(self.redis_socket),
            "/var/lib/gatehouse": str(self.folder / "state"),
            "https://auth.example.com": self.base_url,
            "ALLOWED_HOSTS=auth.example.com": "ALLOWED_HOSTS=localhost",
            "'smtp+tls://USER:PASSWORD@smtp.example.com:587'": f"'{self.mail_url}'",
            "--port 8000": f"--port {self.web_port}",
        }
        for there, value in replaced.items():
            text = text.replace(there, value)
        return text

    @property
    def rights(self) -> dict[str, Any]:
        return _rights(self.user)

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the tests': settings come from `.env`."""
        return {"PATH": f"{self.postgres_bin}:/usr/local/bin:/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8"}

    # --- What is typed ----------------------------------------------------------------------------------------------------

    def type(self, command: str) -> str:
        """A command as the user types it into a shell. What it said; it must have succeeded."""
        done = subprocess.run(
            ["sh", "-euc", self.here(command)],
            cwd=self.home,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            **self.rights,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return str(done.stdout)

    def converse(self, command: str, answers: Mapping[str, str]) -> str:
        """A command at a terminal that asks: each question, by how it begins, has its answer."""
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            ["sh", "-euc", self.here(command)],
            cwd=self.home,
            env=self.environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            **self.rights,
        ) as process:
            os.close(theirs)
            said, open_questions = "", dict(answers)
            while chunk := _read(ours):
                said += chunk
                for question in [question for question in open_questions if question in said]:
                    os.write(ours, f"{open_questions.pop(question)}\n".encode())
        os.close(ours)
        assert (process.returncode, open_questions) == (0, {}), said
        return said

    # --- What root does ---------------------------------------------------------------------------------------------------

    def clone(self) -> None:
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(
                ROOT / name,
                self.home / name,
                **({"ignore": shutil.ignore_patterns("__pycache__")} if copy is shutil.copytree else {}),
            )
        self.give(self.home)

    def make_environment(self) -> None:
        """As `python3 -m venv`, but it sees what the tests have installed: then pip installs what is missing, and no more."""
        self.type(f"{self.python} -m venv --without-pip .venv")
        folder = next((self.home / ".venv" / "lib").glob("python*")) / "site-packages"
        (folder / "installed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")

    def as_postgres(self, command: str) -> None:
        """`createuser` and `createdb`, as the database's superuser."""
        superuser = {**self.environment, "PGHOST": self.database_socket, "PGUSER": "gatehouse"}
        ours = re.sub(r"\bgatehouse\b", DATABASE, command)
        subprocess.run(["sh", "-euc", ours], env=superuser, check=True, capture_output=True, cwd="/", **self.rights)

    def start_redis(self, lines: str) -> None:
        configuration = self.folder / "redis.conf"
        configuration.write_text(f"dir {self.folder}\n{self.here(lines)}\n", encoding="utf-8")
        self.start("redis", [str(self.valkey_server), str(configuration)])

    def start_unit(self, name: str) -> None:
        """The process of a unit file, as systemd would start it, the user and its hardening apart."""
        template, _, instance = name.partition("@")
        path = self.home / "deploy" / "systemd" / (f"{template}@.service" if instance else f"{template}.service")
        unit = path.read_text(encoding="utf-8")
        (line,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
        (variables,) = re.findall(r"^Environment=(.*)$", unit, re.MULTILINE)
        line = line.replace("%i", instance).replace("%%", "%")
        self.start(name, self.here(line).split(), **dict(pair.split("=", 1) for pair in variables.split()))

    def start_nginx(self, site: str) -> None:
        site = site.replace("auth.example.com", "localhost")
        site = re.sub(r"listen (\[::\]:)?80;", "", site).replace("listen [::]:443 ssl;", "")
        site = site.replace("return 301", f"listen 127.0.0.1:{self.http_port};\n    return 301", 1)
        site = site.replace("listen 443 ssl;", f"listen 127.0.0.1:{self.https_port} ssl;").replace(
            ":8000", f":{self.web_port}"
        )
        site = site.replace("/etc/letsencrypt/live/localhost/fullchain.pem", str(self.certificate))
        site = site.replace("/etc/letsencrypt/live/localhost/privkey.pem", str(self.key))
        site = site.replace("$host", f"$host:{self.https_port}")  # this port is not the default
        site = site.replace("/var/log/nginx/access.log", str(self.access_log))
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{kind}_temp_path {self.folder}/nginx-{kind};\n" for kind in kinds)
        (self.folder / "nginx.conf").write_text(
            f"daemon off;\npid {self.folder}/nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{site}\n}}\n",
            encoding="utf-8",
        )
        options = ["-e", "stderr", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]
        program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin") or "nginx"
        tested = subprocess.run([program, "-t", *options], capture_output=True, text=True, check=False, **self.rights)
        assert tested.returncode == 0, tested.stderr
        self.start("nginx", [program, *options])

    # --- Processes --------------------------------------------------------------------------------------------------------

    def start(self, name: str, command: list[str], **variables: str) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                command,
                cwd=self.home,
                env={**self.environment, **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=engine.end_with_parent(engine.signal.SIGTERM),
                **self.rights,
            )

    def ended(self) -> list[str]:
        """Those that should run, and do not; with what they said last."""
        return [
            f"{name}: {self.log_of(name)[-2000:]}"
            for name, process in self._running.items()
            if process.poll() is not None
        ]

    def log_of(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        for process in reversed(self._running.values()):
            process.terminate()
        deadline = time.monotonic() + 60
        for process in self._running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, engine.signal.SIGKILL)
                process.wait()
        for command in (f"dropdb --force --if-exists {DATABASE}", f"dropuser --if-exists {DATABASE}"):
            self.as_postgres(command)

    def give(self, *paths: Path) -> None:
        """To the user, with all that is in them."""
        for top in paths if os.geteuid() == 0 else ():
            for path in (top, *top.rglob("*")):
                os.chown(path, self.user.pw_uid, self.user.pw_gid, follow_symlinks=False)


def _without_rights() -> tuple[pwd.struct_passwd, str]:
    """The user who runs the tests, and this interpreter.

    Under root, the user of the engines, if it may read what is installed and run an interpreter of this version.
    """
    owner, installed = places._owner(), Path(sysconfig.get_path("purelib"))
    if owner and places._reachable(installed, owner):
        user = pwd.getpwuid(owner.uid)
        for python in (os.path.realpath(sys.executable), "/usr/bin/python3", "/usr/local/bin/python3"):
            if _is_of_this_version(python, user):
                return user, python
    return pwd.getpwuid(os.geteuid()), os.path.realpath(sys.executable)


def _is_of_this_version(python: str, user: pwd.struct_passwd) -> bool:
    """Also for this user: one in root's home can be run by root alone."""
    command = [python, "-c", "import sys; print(*sys.version_info[:2])"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **_rights(user))
    except OSError:
        return False
    return done.stdout.split() == [str(part) for part in sys.version_info[:2]]


def _rights(user: pwd.struct_passwd) -> dict[str, Any]:
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}


def _read(descriptor: int) -> str:
    try:
        return os.read(descriptor, 4096).decode(errors="replace")
    except OSError:  # the other end is closed
        return ""


@contextmanager
def machine(folder: Path, *, mail_url: str) -> Iterator[Machine]:
    folder.chmod(0o755)
    made = Machine(folder, mail_url=mail_url)
    for name in (made.home, folder / "state"):
        name.mkdir()
    made.give(folder)
    try:
        yield made
    finally:
        made.stop()
