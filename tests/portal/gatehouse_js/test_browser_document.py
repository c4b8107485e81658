"""docs/browser.md and the package's README: every example is run in a browser as it stands there."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Dialog, Page

from apps.customers.models import Customer
from tests import browser, factories
from tests.journeys.test_passkeys_in_a_browser import Device
from tests.portal.gatehouse_js.node import MODULE
from tests.running import Running, app
from tests.signin.entering import EMAIL, PASSWORD, member
from tests.signin.proving import old_session
from tests.test_documents_run import KEY, SERVICE, blocks

pytestmark = pytest.mark.django_db(transaction=True)

DOCUMENT: Path = settings.BASE_DIR / "docs" / "browser.md"
GRACE = "grace@example.com"  # whom the README's example signs in here, while Ada's mails are the document's
PDF = "new File(['%PDF-1.7 of ' + 'Ada'], 'x.pdf')"


def call(page: Page, code: str, given: Any = None) -> Any:
    """What this code returns. `shown` collects what the examples show."""
    return page.evaluate(f"async (given) => {{ const app = await import('/app.js'); {code} }}", given)


def test_every_example(running: Running) -> None:
    """With one service: it takes seconds to start."""
    with ExitStack() as apps:
        document = apps.enter_context(app_of_the_document(running))
        readme = apps.enter_context(app_of_the_readme(running))
        the_examples_of_the_document(running, *document)
        the_example_of_the_readme(running, readme)


@contextmanager
def app_of_the_document(running: Running) -> Iterator[tuple[str, str, Customer]]:
    """Where it is, its key, and whose it is."""
    customer = factories.customer(passkey_domain="localhost", code_resend_after=0)
    key = factories.api_key(customer)[1]
    code = "\n".join(blocks(DOCUMENT, "js")).replace(SERVICE, running.url).replace(KEY, key)
    with app({"/": "<!doctype html><title>An app</title>", "/app.js": code}) as origin:
        factories.policy(customer, allowed_origins=[origin])
        yield origin, key, customer


@contextmanager
def app_of_the_readme(running: Running) -> Iterator[str]:
    customer = factories.customer()
    key = factories.api_key(customer)[1]
    [example] = blocks(MODULE / "README.md", "js")
    module = f"{running.url}/static/gatehouse/gatehouse.js"
    example = example.replace("'gatehouse-client'", f"'{module}'").replace(SERVICE, running.url).replace(KEY, key)
    example = example.replace(f"'{EMAIL}'", f"'{GRACE}'").replace("'123456'", "prompt('The code')")
    example += "\nwindow.me = me\n"
    with app({"/": f'<!doctype html><title>An app</title><script type="module">{example}</script>'}) as origin:
        factories.policy(customer, allowed_origins=[origin])
        yield origin


def the_examples_of_the_document(running: Running, origin: str, key: str, customer: Customer) -> None:
    with browser.page() as page:
        user = member(customer)
        asked: list[str] = []

        def answer(dialog: Dialog) -> None:
            asked.append(dialog.message)
            dialog.accept(running.mailbox.wait_for_code(EMAIL) if "mail" in dialog.message else PASSWORD)

        page.on("dialog", answer)
        page.goto(origin)
        device = Device(page)
        call(page, "window.shown = []; app.listen((text) => shown.push(text))")
        assert call(page, "return app.signInByCode(given)", EMAIL)["id"] == str(user.id)
        call(page, "await app.showUser((user, verified) => shown.push([user.email, verified]))")
        assert page.evaluate("shown") == [EMAIL, [EMAIL, True]]
        assert call(page, "return app.rename('Ada')")["name"] == "Ada"

        kept_as = f"gatehouse {running.url} {key.split('_')[2]} body"
        old = old_session(user)
        record = {"access_token": old.access, "refresh_token": old.refresh, "expires_in": 60, "expires_at": 4e12}
        page.evaluate("([name, kept]) => localStorage.setItem(name, JSON.stringify(kept))", [kept_as, record])
        assert call(page, "return app.enrolPasskey('Laptop')")["name"] == "Laptop"
        assert asked == ["The code in the mail", "Your password"]

        call(page, "await app.gatehouse.logout()")
        assert page.evaluate("shown.at(-1)") == "signed out: logout"
        assert call(page, "return (await app.signInByPasskey()).user")["id"] == str(user.id)
        call(page, "await app.gatehouse.logout()")
        assert call(page, "return app.signInByPassword(...given)", [EMAIL, PASSWORD])["id"] == str(user.id)
        assert len(device.credentials()) == 1

        sent = call(page, f"const id = await app.send({PDF}, (share) => shown.push(share)); return [id, shown.at(-1)]")
        assert sent[1] == 1
        assert call(page, "return (await app.fetchAsBlob(given)).text()", sent[0]) == "%PDF-1.7 of Ada"
        into = """
          const handle = await (await navigator.storage.getDirectory()).getFileHandle('x', { create: true })
          await app.fetchInto(handle, given)
          return (await handle.getFile()).text()
        """
        assert call(page, into, sent[0]) == "%PDF-1.7 of Ada"

        wrong = "return app.rename('x'.repeat(300)).catch(app.explain)"
        assert "200" in call(page, wrong)
        call(page, "await app.gatehouse.logout()")
        offer = "const stop = new AbortController(); setTimeout(() => stop.abort(), 100); return app.offerPasskeys(stop.signal)"
        device.set_presence(simulated=False)
        assert call(page, offer) is None
        page.route("**/passkey/options", lambda _route: None)  # an answer that does not come
        assert call(page, offer) is None, "ended while options were on their way"


def the_example_of_the_readme(running: Running, origin: str) -> None:
    with browser.page() as page:
        page.on("dialog", lambda dialog: dialog.accept(running.mailbox.wait_for_code(GRACE)))
        page.goto(origin)
        page.wait_for_function("window.me")
        assert page.evaluate("me.email") == GRACE
