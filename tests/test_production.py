"""docs/production.md, followed from the first command to somebody who has signed in through TLS."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from config import environment
from demo.client import over_http
from tests import guide
from tests.config.tls_server import certificate_for
from tests.guide import Machine, blocks, commands
from tests.mail.smtp import MailServer

PATIENCE = 240  # seconds; machines that test much at once are slow
OPERATOR = "operator@example.com"
PASSWORD = "a horse that nobody else keeps"
STAND_INS = {
    "git clone https://git.example.com/gatehouse.git .": Machine.clone,
    "python3 -m venv .venv": Machine.make_environment,
}


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def machine(mail_server: MailServer) -> Iterator[Machine]:
    with (
        tempfile.TemporaryDirectory(prefix="gh-", ignore_cleanup_errors=True) as folder,
        guide.machine(Path(folder), mail_url=mail_server.url) as made,
    ):
        yield made


def wait_until(happened: Callable[[], Any], machine: Machine) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := happened()):
        assert machine.ended() == []
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


def set_up_by_user(machine: Machine) -> None:
    """What the guide has the user type, as far as the first operator."""
    (code, settings, tables, *_) = blocks("gatehouse")
    first, second, *others = commands(code)
    STAND_INS[first](machine)
    STAND_INS[second](machine)
    for command in [*others, *commands(settings)]:
        machine.type(command)
    *before, ask = commands(tables)
    for command in before:
        machine.type(command)
    answers = {"Username": OPERATOR, "Email address": OPERATOR, "Password: ": PASSWORD, "Password (again)": PASSWORD}
    assert "Superuser created" in machine.converse(ask, answers)


def set_up_by_root(machine: Machine) -> None:
    """PostgreSQL's role and database, and Redis with its settings."""
    engines = commands(blocks("root")[1])
    of_postgres = [found for command in engines for found in re.findall(r'^su postgres -c "(.*)"$', command)]
    assert [command.partition(" ")[0] for command in of_postgres] == ["createuser", "createdb"]
    for command in of_postgres:
        machine.as_postgres(command)
    (of_redis,) = [
        found for command in engines for found in re.findall(r"redis\.conf <<'END'\n(.*)\nEND", command, re.DOTALL)
    ]
    machine.start_redis(of_redis)


def vouch_for(machine: Machine) -> None:
    """In the place of certbot."""
    pem = certificate_for(machine.folder, "localhost").read_bytes()
    key, certificate = serialization.load_pem_private_key(pem, None), x509.load_pem_x509_certificate(pem)
    machine.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    machine.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    machine.give(machine.key, machine.certificate)


def units_started_by(block: str) -> list[str]:
    return [
        name
        for line in re.findall(r"^systemctl (?:enable --now|restart) (gatehouse.*)$", block, re.MULTILINE)
        for name in line.split()
    ]


def answer(machine: Machine, path: str) -> bytes:
    try:
        found = over_http(machine.base_url)("GET", path, {}, b"")
    except OSError:
        return b""
    return found.body if found.status == 200 else b""


def code_in_mail(server: MailServer, machine: Machine) -> str:
    def codes() -> list[str]:
        return [code for letter in server.letters for code in re.findall(r"\b\d{6}\b", letter.part("plain"))]

    return str(wait_until(codes, machine)[-1])


@pytest.mark.lengthy
@pytest.mark.django_db(transaction=True)
def test_the_guide_leads_from_an_empty_machine_to_somebody_who_signs_in(
    machine: Machine, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None and not os.environ.get("CI"):
        pytest.skip("nginx is not installed (apt install nginx)")
    set_up_by_root(machine)
    set_up_by_user(machine)
    assert (machine.home / ".env").stat().st_mode & 0o777 == 0o600

    for name in units_started_by(blocks("root")[2]):
        machine.start_unit(name)
    vouch_for(machine)
    monkeypatch.setenv("SSL_CERT_FILE", str(machine.certificate))
    machine.start_nginx((machine.home / "deploy" / "nginx" / "gatehouse.conf").read_text(encoding="utf-8"))
    ready = wait_until(lambda: answer(machine, "/readyz"), machine)
    assert ready.count(b'"ok"') == 5, ready

    answer(machine, "/admin/login/?q=alice@example.com")
    # nginx writes its line when the client has its answer already.
    wait_until(lambda: "GET /admin/login/ " in machine.access_log.read_text(encoding="utf-8"), machine)
    assert "alice" not in machine.access_log.read_text(encoding="utf-8"), "what is searched for is in no log"

    (make_key,) = commands(blocks("gatehouse")[3])
    key = machine.type(make_key).split()[-1]
    profile = signed_in(machine, mail_server, key)
    assert profile["email"] == "you@example.com"
    assert str(mail_server.letters[-1].message["From"]).endswith(" <no-reply@auth.example.com>")
    assert "redirect_without_end" not in machine.log_of("gatehouse-web")
    for command in commands(blocks("gatehouse")[4]):
        machine.type(command)
    assert (machine.home / "gatehouse.dump").read_bytes().startswith(b"PGDMP")
    assert machine.ended() == []


def signed_in(machine: Machine, mail_server: MailServer, key: str) -> dict[str, Any]:
    """The guide's example in Python, with the key and the service key as it says."""
    (example,) = re.findall(
        r"^```python\n(.*?)^```$", guide.GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    (service_key,) = re.findall(
        r"^SERVICE_ENCRYPTION_KEY=(.*)$", (machine.home / ".env").read_text(encoding="utf-8"), re.MULTILINE
    )
    example = (
        machine.here(example).replace("ghk_live_…", key).replace('service_key="…"', f'service_key="{service_key}"')
    )
    names: dict[str, Any] = {"input": lambda _question: code_in_mail(mail_server, machine)}
    exec(compile(example, "example", "exec"), names)  # noqa: S102  (our own document)
    return dict(names["profile"])


def test_the_guide_starts_and_restarts_every_process_that_there_is() -> None:
    """A unit that nobody starts would be a queue that nobody empties."""
    folder = guide.ROOT / "deploy" / "systemd"
    queues = ["mail", "maintenance", "outside"]
    of_compose = re.findall(r"--queues, (\w+)\]", (guide.ROOT / "compose.yaml").read_text(encoding="utf-8"))
    assert sorted(of_compose) == queues
    units = sorted(path.stem for path in folder.glob("*.service"))
    assert units == ["gatehouse-beat", "gatehouse-web", "gatehouse-worker@"]
    expected = sorted([*units[:2], *(f"gatehouse-worker@{queue}" for queue in queues)])
    for block in blocks("root")[2], blocks("root")[4]:
        assert sorted(units_started_by(block)) == expected


@pytest.mark.parametrize(
    "path", sorted((guide.ROOT / "deploy" / "systemd").glob("*.service")), ids=lambda path: path.name
)
def test_a_unit_is_one_that_systemd_takes_and_comes_back(path: Path, tmp_path: Path) -> None:
    unit = path.read_text(encoding="utf-8")
    assert re.findall(r"^(?:Restart|User|NoNewPrivileges|ProtectSystem)=(.*)$", unit, re.MULTILINE) == [
        "gatehouse",
        "always",
        "yes",
        "strict",
    ]
    if shutil.which("systemd-analyze") is None:
        return  # nothing more can be said here
    here = tmp_path / path.name
    here.write_text(unit.replace("/srv/gatehouse/.venv/bin/python", "/bin/true"), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(here)], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stderr.splitlines() if "gatehouse" in line] == []


def test_every_command_of_the_guide_belongs_to_somebody() -> None:
    """A block without "as root" or "as gatehouse" would be typed by no test."""
    shown = len(re.findall(r"^```sh$", guide.GUIDE.read_text(encoding="utf-8"), re.MULTILINE))
    assert shown == len(blocks("root")) + len(blocks("gatehouse")) == 11


def test_the_guide_names_every_setting_that_is_required() -> None:
    (settings,) = re.findall(
        r"cat >> \.env <<'END'\n(.*?)^END$", guide.GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    named = set(re.findall(r"^([A-Z_]+)=", settings, re.MULTILINE))
    assert set(environment.REQUIRED_IN_PRODUCTION) - set(environment.SECRETS) <= named


def test_a_new_version_is_installed_as_the_first_one() -> None:
    first, renewed = commands(blocks("gatehouse")[0]), commands(blocks("gatehouse")[5])
    assert [command for command in first if "pip install" in command] == [
        command for command in renewed if "pip install" in command
    ]
    assert [command for command in renewed if "manage.py" in command] == commands(blocks("gatehouse")[2])[:2]
