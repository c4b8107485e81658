"""What the documents show works: every example in Python and JavaScript is run as it stands there, against the service."""

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings
from django.urls import path
from django.utils import timezone

import config.urls
from apps.core import signatures
from apps.customers.models import Customer
from apps.factors.models import Passkey
from apps.mail import sms_transports
from apps.mail.content import Sms
from apps.mail.transports import Receipt, Refused, TransportDown
from tests import browser, factories
from tests.approvals.checking import (  # noqa: F401  (two are fixtures)
    Asked,
    Checkers,
    ask_all,
    asked,
    checker,
    deliver,
)
from tests.conftest import MakeClient
from tests.journeys.test_passkeys_in_a_browser import Device
from tests.otp.reading import newest_code
from tests.payloads.test_node_interop import node  # noqa: F401  (a fixture)
from tests.signin.entering import EMAIL, PASSWORD, enrol_app, member
from tests.test_documents import DOCUMENTS, name_of

pytestmark = pytest.mark.django_db(transaction=True)

ROOT: Path = settings.BASE_DIR
DOCS = ROOT / "docs"
CLIENT = DOCS / "examples" / "gatehouse.mjs"
NODE_MODULES = ROOT / "tests" / "interop" / "node_modules"
# Where the examples say that the service is, and by what key they call.
SERVICE, KEY = "https://auth.example.com", "ghk_live_…"
LOCALLY = "http://127.0.0.1:8000"


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def block_with(document: Path, language: str, text: str) -> str:
    """The one example of the document in which this stands."""
    (found,) = [block for block in blocks(document, language) if text in block]
    return found


def run_python(code: str, **given: object) -> dict[str, Any]:
    """What the code has made."""
    names: dict[str, Any] = {"__name__": "example", **given}
    exec(compile(code, "example", "exec"), names)  # noqa: S102  (our own documents)
    return names


def as_module(monkeypatch: pytest.MonkeyPatch, name: str, code: str, **more: object) -> ModuleType:
    """A module on Python's path, as the document says that it is to be one."""
    module = ModuleType(name)
    vars(module).update({**run_python(code), **more})
    monkeypatch.setitem(sys.modules, name, module)
    return module


def test_every_example_is_run_here() -> None:
    """An example that no test looks for shows up."""
    of_python = {name_of(path): len(blocks(path, "python")) for path in DOCUMENTS}
    of_javascript = {name_of(path): len(blocks(path, "js")) for path in DOCUMENTS}
    in_docs = {
        "docs/encryption.md": 1,
        "docs/extending.md": 3,
        "docs/files.md": 1,
        "docs/oauth.md": 1,
        "docs/production.md": 1,
        "docs/roles.md": 1,
    }
    assert {name: number for name, number in of_python.items() if number} == {"README.md": 1, **in_docs}
    assert {name: number for name, number in of_javascript.items() if number} == {
        "docs/accounts.md": 1,
        "docs/browser.md": 9,  # by tests/portal/gatehouse_js/test_browser_document.py
        "docs/clients.md": 1,
        "docs/oauth.md": 1,
    }


# --- Python -----------------------------------------------------------------------------------------------------------


def test_the_readme_signs_somebody_in(live_server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code = block_with(ROOT / "README.md", "python", "client.request_otp")
    _row, key = factories.api_key(factories.customer())
    code = code.replace(LOCALLY, live_server.url).replace(KEY, key)
    code = code.replace('service_key="…"', f'service_key="{settings.SERVICE_ENCRYPTION_KEY}"')
    made = run_python(code, input=lambda _question: newest_code())
    assert made["profile"]["email"] == "ada@example.com"


def test_a_body_that_is_sealed_as_shown_is_accepted(client_for: MakeClient) -> None:
    code = block_with(DOCS / "encryption.md", "python", "def sealed")
    call = "/api/auth/request-otp"
    body = run_python(code)["sealed"]({"email": EMAIL}, call, settings.SERVICE_ENCRYPTION_KEY)
    assert client_for(factories.customer()).call("POST", call, json.dumps(body).encode()).status == 200


def test_a_file_goes_up_and_comes_down_as_shown(client_for: MakeClient) -> None:
    """C2.3, C4"""
    shown = run_python(block_with(DOCS / "files.md", "python", "def fetch"))
    token = factories.session(factories.user(factories.customer())).access
    content = b"%PDF-1.7" + bytes(100_000)
    file_id = shown["send"](client_for(None), content, token)
    assert shown["fetch"](client_for(None), file_id, token) == content
    with pytest.raises(ValueError, match="file_type_not_allowed"):
        shown["send"](client_for(None), b"<html>", token)


@pytest.mark.parametrize(
    ("status", "ending"), [(202, Receipt("acme", "202")), (400, Refused), (401, TransportDown), (500, TransportDown)]
)
def test_an_sms_backend_of_ones_own(
    monkeypatch: pytest.MonkeyPatch,
    checker: Checkers,  # noqa: F811
    status: int,
    ending: Any,
) -> None:
    as_module(monkeypatch, "acme", block_with(DOCS / "extending.md", "python", "class AcmeSms"))
    monkeypatch.setattr(settings, "SMS_BACKEND", "acme.AcmeSms")
    monkeypatch.setenv("ACME_TOKEN", "secret")
    monkeypatch.setenv("ACME_URL", checker.url)
    sms_transports._made.cache_clear()
    checker.statuses = [status]
    text = Sms("+4915112345678", "Your code is 123456", "Acme")
    send = partial(sms_transports.configured().send, text, message_id="one", within=5)
    if isinstance(ending, Receipt):
        assert send() == ending
        sent = json.loads(checker.got[0].body)
        assert sent == {"to": text.number, "from": "Acme", "message": text.text, "reference": "one"}
    else:
        with pytest.raises(TransportDown) as caught:
            send()
        assert caught.type is ending
    sms_transports._made.cache_clear()


def test_an_identity_check_of_ones_own(
    monkeypatch: pytest.MonkeyPatch,
    asked: Asked,  # noqa: F811
    checker: Checkers,  # noqa: F811
) -> None:
    code = block_with(DOCS / "extending.md", "python", "class AcmeCheck")
    # The checker of this test is on this machine, where the example as it stands does not go.
    as_module(monkeypatch, "acme", code.replace(".encode(), headers)", ".encode(), headers, private_allowed=True)"))
    monkeypatch.setattr(settings, "IDENTITY_CHECK", "acme.AcmeCheck")
    checker.statuses = [500]
    assert ask_all() == 0
    asked.check.refresh_from_db()
    assert asked.check.asked_at is None, "asked again later"
    asked.check.next_try_at = timezone.now()
    asked.check.save()
    assert ask_all() == 1
    assert json.loads(checker.got[-1].body)["reference"] == str(asked.check.id)


@pytest.mark.parametrize("approved", [True, False])
def test_an_answer_that_is_signed_as_shown_decides(asked: Asked, approved: bool) -> None:  # noqa: F811
    signed = run_python(block_with(DOCS / "extending.md", "python", "def signed"))["signed"]
    body, headers = signed(str(asked.check.id), asked.key.decode(), approved=approved, reason="A blurred picture")
    given = deliver(asked.client, asked.check.id, body, headers[signatures.HEADER])
    assert given.status == 200, given.document
    assert asked.status == ("active" if approved else "pending")
    asked.check.refresh_from_db()
    assert asked.check.reason == ("" if approved else "A blurred picture")


def test_guards_let_in_whom_the_document_says(monkeypatch: pytest.MonkeyPatch, client_for: MakeClient) -> None:
    code = block_with(DOCS / "roles.md", "python", "class InvoicesView")
    view = run_python(code)["InvoicesView"].as_view()
    urls = ModuleType("example_urls")
    urls.urlpatterns = [*config.urls.urlpatterns, path("api/invoices", view)]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "example_urls", urls)
    monkeypatch.setattr(settings, "ROOT_URLCONF", "example_urls")
    customer, client = factories.customer(), client_for(None)
    for name in ("invoices.read", "invoices.write"):
        factories.permission(customer, name)

    def statuses(email: str, **facts: object) -> tuple[int, int]:
        token = factories.session(factories.user(customer, email, **facts)).access
        written = client.post("/api/invoices", {"number": 7}, token=token)
        return client.get("/api/invoices", token=token).status, written.status

    assert statuses("nobody@example.com") == (403, 403)
    assert statuses("reader@example.com", permissions=["invoices.read"]) == (200, 403)
    assert statuses("clerk@example.com", permissions=["invoices.read", "invoices.write"]) == (200, 201)
    assert statuses("admin@example.com", role="admin") == (200, 403)
    assert statuses("new@example.com", role="admin", status="pending") == (403, 403)


# --- JavaScript -------------------------------------------------------------------------------------------------------

# Calls an exported function of the example; what it asks of the user goes to stdout, and the answer comes by stdin.
HARNESS = """
import { createInterface } from 'node:readline'
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = (message) => process.stdout.write(JSON.stringify(message) + '\\n')
const ask = async (question) => { say({ question }); return JSON.parse((await lines.next()).value) }
const example = await import('./example.mjs')
const [name, ...given] = JSON.parse(process.argv[2])
try {
  say({ answer: await example[name](...given, ask) })
} catch (error) {
  say({ error: { ...error, text: String(error) } })
}
process.exit(0)
"""

Call = Callable[..., dict[str, Any]]


def place_example(folder: Path, code: str, *, service: str, key: str) -> None:
    """The example beside the client that it imports, and `jose` where both find it."""
    (folder / "example.mjs").write_text(code.replace(SERVICE, service).replace(KEY, key), encoding="utf-8")
    shutil.copy(CLIENT, folder)
    (folder / "node_modules").symlink_to(NODE_MODULES)


@pytest.fixture
def customer() -> Customer:
    return factories.customer(code_resend_after=0)


@pytest.fixture
def call(node: str, tmp_path: Path, live_server: Any, customer: Customer) -> Call:  # noqa: F811
    """Calls a function of the example in clients.md; `type_in` is the user, who reads each question."""
    code = block_with(DOCS / "clients.md", "js", "signInByCode")
    place_example(tmp_path, code, service=live_server.url, key=factories.api_key(customer)[1])
    (tmp_path / "harness.mjs").write_text(HARNESS, encoding="utf-8")

    def run(*given: object, type_in: Callable[[str], str] = str) -> dict[str, Any]:
        command = [node, "harness.mjs", json.dumps(given)]
        with subprocess.Popen(
            command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for line in process.stdout:
                said: dict[str, Any] = json.loads(line)
                if "question" not in said:
                    return said
                process.stdin.write(json.dumps(type_in(said["question"])) + "\n")
                process.stdin.flush()
        raise AssertionError("Node ended without an answer")

    return run


def test_javascript_signs_in_by_code_and_reads_and_writes_under_the_token(call: Call) -> None:
    signed_in = call("signInByCode", EMAIL, type_in=lambda _question: newest_code())
    assert signed_in["answer"]["user"]["is_new"] is True
    token = signed_in["answer"]["access_token"]
    assert call("rename", token, "Zoë 🦉")["answer"]["name"] == "Zoë 🦉"
    assert call("profile", token)["answer"]["name"] == "Zoë 🦉"


def test_javascript_signs_in_by_password_and_authenticator_app(call: Call, customer: Customer) -> None:
    app = enrol_app(member(customer))
    questions: list[str] = []

    def type_in(question: str) -> str:
        questions.append(question)
        return app.now()

    assert call("signInByPassword", EMAIL, PASSWORD, type_in=type_in)["answer"]["user"]["email"] == EMAIL
    assert questions == ["The code (totp)"]


def test_javascript_has_a_second_factor_sent(call: Call, customer: Customer) -> None:
    member(customer)
    factories.policy(customer, second_factor="required")
    answer = call("signInByPassword", EMAIL, PASSWORD, type_in=lambda _question: newest_code())
    assert answer["answer"]["access_token"]
    assert "totp" in answer["answer"]["enrol"]


def test_javascript_throws_what_is_no_success(call: Call, customer: Customer) -> None:
    member(customer)
    error = call("signInByPassword", EMAIL, "another horse altogether")["error"]
    assert (error["status"], error["type"]) == (401, "invalid_credentials")
    token = factories.session(factories.user(customer, "eve@example.com")).access
    wrong = call("rename", token, 7 * "too long " * 100)["error"]
    assert (wrong["status"], wrong["type"], list(wrong["fields"])) == (400, "validation_error", ["name"])


@pytest.fixture
def app_page(tmp_path: Path) -> Iterator[str]:
    """Somebody's app: a page, and the folder's scripts, at an origin of its own."""
    (tmp_path / "index.html").write_text(
        '<!doctype html><title>An app</title><script type="importmap">'
        '{"imports": {"jose": "/node_modules/jose/dist/webapi/index.js"}}</script>',
        encoding="utf-8",
    )

    class Quiet(SimpleHTTPRequestHandler):
        extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://localhost:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_passkeys_in_a_browser_as_shown(
    node: str,  # noqa: F811  (which means that `jose` is there)
    tmp_path: Path,
    live_server: Any,
    app_page: str,
) -> None:
    customer = factories.customer(passkey_domain="localhost", allowed_origins=[app_page])
    user = member(customer)
    token = factories.session(user).access
    code = block_with(DOCS / "accounts.md", "js", "enrolPasskey")
    place_example(tmp_path, code, service=live_server.url, key=factories.api_key(customer)[1])
    with browser.page() as page:
        page.goto(app_page)
        Device(page)
        enrolled = page.evaluate(
            "async ([token, name]) => (await import('/example.mjs')).enrolPasskey(token, name)", [token, "Laptop"]
        )
        assert enrolled["name"] == "Laptop"
        assert len(enrolled["recovery_codes"]) == 10
        signed_in = page.evaluate("async () => (await import('/example.mjs')).signInByPasskey()")
        assert signed_in["user"]["id"] == str(user.id)
    assert Passkey.objects.get().user_id == user.id
