"""Client libraries that are not ours sign users in, as docs/oauth.md shows it: authlib in Flask, openid-client on Node, and
mod_auth_openidc in Apache. Through the hosted pages, in a browser, against the running service.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from flask import session
from playwright.sync_api import Page
from werkzeug.serving import make_server

from apps.customers.models import Customer
from tests import browser, factories
from tests.payloads.test_node_interop import node  # noqa: F401  (a fixture)
from tests.ports import free_port
from tests.running import Running, app
from tests.test_documents_run import DOCS, NODE_MODULES, block_with, run_python
from tests.worker import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.lengthy]

DRIVER = settings.BASE_DIR / "tests" / "interop" / "openid_client.mjs"
DOCUMENT = DOCS / "oauth.md"
SHOWN = "https://auth.example.com/customers/acme"  # the issuer in the examples
MODULES = Path("/usr/lib/apache2/modules")
NEEDED = ("mpm_event", "authn_core", "authz_core", "authz_user", "headers", "auth_openidc")


@pytest.fixture
def customer() -> Customer:
    return factories.customer(algorithm="ES256")


def issuer_of(running: Running, customer: Customer) -> str:
    return f"{running.url}/customers/{customer.slug}"


def sign_in(page: Page, running: Running, email: str) -> None:
    """By a code, on the hosted pages."""
    page.get_by_label("Email address").fill(email)
    page.get_by_role("button", name="Email me a code").click()
    page.locator("input[name=code]").fill(running.mailbox.wait_for_code(email))
    page.get_by_role("button", name="Sign in").click()


def test_three_client_libraries_go_through_the_whole_journey(
    running: Running,
    customer: Customer,
    node: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    """C4 (hosted sign-in): a server in Python; one in JavaScript, which finds the user signed in already and signs them out of
    both; and a module in C, which protects a site that knows nothing of us.
    """
    goes_on = {"/cb": "", "/bye": ""}
    with browser.page(locale="en") as page, flask_app(running, customer) as of_flask, app(goes_on) as of_node:
        page.goto(f"{of_flask}/login")
        sign_in(page, running, "ada@example.com")
        page.wait_for_url(f"{of_flask}/")
        who = json.loads(page.inner_text("body"))
        assert (who["email"], who["email_verified"]) == ("ada@example.com", True)
        assert who["iss"] == issuer_of(running, customer)

        with openid_client(running, customer, of_node, node, tmp_path) as (begun, process):
            page.goto(begun["url"])  # no page is shown
            page.wait_for_url(f"{of_node}/cb?*")
            found = told(process, page.url)
        assert found["claims"]["sub"] == found["user"]["sub"] == found["refreshed"] == who["sub"]
        assert found["claims"]["nonce"] == begun["nonce"]
        assert found["user"]["email"] == "ada@example.com"
        assert found["scope"] == "openid email"
        assert found["reused"] == "invalid_grant"
        assert found["token_endpoint"] == f"{running.url}/api/oauth/token"

        page.goto(found["sign_out"])
        page.wait_for_url(f"{of_node}/bye?state=bye")
        page.goto(f"{of_flask}/login")
        page.get_by_label("Email address").wait_for()  # signed out for the other app, too

        with apache(running, customer) as site:
            page.goto(f"{site}/members/index.html")
            sign_in(page, running, "eve@example.com")
            page.wait_for_url(f"{site}/members/index.html")
            assert page.inner_text("body") == "for members"
            answer = page.goto(f"{site}/members/index.html")
            assert answer is not None
            assert answer.headers["x-remote-user"].startswith("eve@example.com")


# --- The three apps ---------------------------------------------------------------------------------------------------


@contextmanager
def flask_app(running: Running, customer: Customer) -> Iterator[str]:
    """The example in Python, served, with a page that shows who is signed in."""
    port = free_port()
    client, secret = factories.oauth_client(
        customer, is_confidential=True, redirect_uris=[f"http://localhost:{port}/callback"]
    )
    code = block_with(DOCUMENT, "python", "flask_client").replace(SHOWN, issuer_of(running, customer))
    code = code.replace('client_id="…"', f'client_id="{client.client_id}"').replace(
        '_secret="…"', f'_secret="{secret}"'
    )
    flask = run_python(code)["app"]
    flask.add_url_rule("/", "home", lambda: dict(session["user"]))
    server = make_server("localhost", port, flask, threaded=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://localhost:{port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def openid_client(
    running: Running,
    customer: Customer,
    origin: str,
    node: str,  # noqa: F811
    folder: Path,
) -> Iterator[tuple[dict[str, Any], "subprocess.Popen[str]"]]:
    """The example in JavaScript: what it has begun, and the process that goes on."""
    client, secret = factories.oauth_client(
        customer,
        is_confidential=True,
        redirect_uris=[f"{origin}/cb"],
        post_logout_redirect_uris=[f"{origin}/bye"],
    )
    code = block_with(DOCUMENT, "js", "openid-client").replace(SHOWN, issuer_of(running, customer))
    insecure = "undefined, { execute: [client.allowInsecureRequests] }"
    code = code.replace("(issuer, '…', '…')", f"(issuer, '{client.client_id}', '{secret}', {insecure})")
    (folder / "node_modules").symlink_to(NODE_MODULES)
    module = folder / "example.mjs"
    module.write_text(code.replace("const config", "export const config"), encoding="utf-8")
    driver = folder / "driver.mjs"
    driver.write_text(DRIVER.read_text(encoding="utf-8"), encoding="utf-8")
    command = [node, driver, module.as_uri(), issuer_of(running, customer), f"{origin}/cb", f"{origin}/bye"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield told(process), process
        finally:
            process.kill()


def told(process: "subprocess.Popen[str]", line: str = "") -> dict[str, Any]:
    """What the process says next, after it was told something."""
    assert process.stdin
    assert process.stdout
    if line:
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
    found: dict[str, Any] = json.loads(process.stdout.readline())
    return found


@contextmanager
def apache(running: Running, customer: Customer) -> Iterator[str]:
    """Apache with the example's configuration, and a page for members alone."""
    server = shutil.which("apache2", path=os.pathsep.join((os.environ["PATH"], "/usr/sbin")))
    if server is None or not (MODULES / "mod_auth_openidc.so").exists():
        reason = "INTEROPERABILITY NOT TESTED: no Apache with mod_auth_openidc"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    port = free_port()
    site = f"http://localhost:{port}"
    client, secret = factories.oauth_client(customer, is_confidential=True, redirect_uris=[f"{site}/members/callback"])
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # Apache serves as another user
        members = Path(folder) / "site" / "members"
        members.mkdir(parents=True)
        (members / "index.html").write_text("for members", encoding="utf-8")
        shown = re.sub(r"OIDCClientID …", f"OIDCClientID {client.client_id}", block_with(DOCUMENT, "apache", "OIDC"))
        shown = shown.replace("OIDCClientSecret …", f"OIDCClientSecret {secret}")
        shown = shown.replace("Passphrase …", "Passphrase a-passphrase-of-the-test")
        shown = shown.replace(SHOWN, issuer_of(running, customer)).replace("https://app.example.com", site)
        settings_file = Path(folder) / "apache.conf"
        settings_file.write_text(APACHE.format(**facts(folder, port), shown=shown), encoding="utf-8")
        process = subprocess.Popen([server, "-f", str(settings_file), "-DFOREGROUND"])
        try:
            wait_until(lambda: _listens(port))
            yield site
        finally:
            process.terminate()
            process.wait(timeout=60)


APACHE = """
{modules}
ServerName localhost
Listen {port}
{user}
PidFile {folder}/pid
DefaultRuntimeDir {folder}
Mutex posixsem
ErrorLog /dev/stderr
DocumentRoot {folder}/site
<Directory {folder}/site>
  Require all granted
</Directory>
{shown}
Header set X-Remote-User "expr=%{{REMOTE_USER}}"
"""


def facts(folder: str, port: int) -> dict[str, object]:
    modules = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in NEEDED)
    user = "User www-data\nGroup www-data" if os.getuid() == 0 else ""
    return {"folder": folder, "port": port, "modules": modules, "user": user}


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
