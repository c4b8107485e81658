"""Somebody's app in a real browser: a page of its own origin that imports the module from the running service."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page

from apps.customers.models import Customer
from apps.tokens.minting import TokenPair
from tests import browser, factories
from tests.running import Running, app

PAGE = """<!doctype html><title>An app</title><input name="user" autocomplete="username webauthn"><input type="file">
<script type="module">
  const { createGatehouse, GatehouseError } = await import("%(module)s")
  window.told = []
  window.make = (options) => {
    const onReauthenticate = options.stepsUp && ((asked) => window.stepUp(asked))
    const g = createGatehouse({ url: "%(url)s", apiKey: "%(key)s", ...options, onReauthenticate })
    for (const type of ["signed-in", "signed-out", "user", "woken"]) g.on(type, (detail) => told.push([type, detail]))
    return g
  }
  window.run = async (code, given) => {
    try {
      const work = Object.getPrototypeOf(async () => {}).constructor("g", "given", code)
      return { value: await work(window.g, given) ?? null }
    } catch (error) {
      return { error: { ...error, name: error.name, message: error.message, ours: error instanceof GatehouseError } }
    }
  }
  window.ready = true
</script>"""


class Failed(AssertionError):
    """What the app's code threw. `error` is what it is made of."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error)
        self.error = error

    @property
    def type(self) -> str:
        return str(self.error.get("type") or self.error["name"])


@dataclass
class Tab:
    """A page of the app. `options` are those of createGatehouse; with `stepsUp`, a fresh proof is `window.stepUp`'s matter."""

    page: Page
    origin: str
    kept_as: str
    options: dict[str, Any] = field(default_factory=dict)

    def open(self) -> "Tab":
        """Load the page, or load it anew."""
        self.page.goto(self.origin)
        self.page.wait_for_function("window.ready")
        self.page.evaluate("options => { window.g = make(options) }", self.options)
        return self

    def run(self, code: str, given: Any = None) -> Any:
        """What this code returns, with `g` and `given`. Raises Failed if it throws."""
        result = self.page.evaluate("([code, given]) => run(code, given)", [code, given])
        if "error" in result:
            raise Failed(result["error"])
        return result["value"]

    def restore(self) -> list[dict[str, Any]]:
        """What restore() gives, one after the other."""
        code = "const all = []; for await (const one of g.restore()) all.push(one); return all"
        found: list[dict[str, Any]] = self.run(code)
        return found

    def stored(self) -> Any:
        """What the module keeps in localStorage."""
        return self.page.evaluate("name => JSON.parse(localStorage.getItem(name))", self.kept_as)

    def store(self, pair: TokenPair, **more: Any) -> "Tab":
        """Have the page find these tokens in its storage, as if it had got them by a sign-in of its own."""
        tokens = {"access_token": pair.access, "refresh_token": pair.refresh, "expires_in": pair.expires_in}
        record = {**tokens, "expires_at": 1000 * (time.time() + pair.expires_in), **more}
        self.page.evaluate("([name, kept]) => localStorage.setItem(name, kept)", [self.kept_as, json.dumps(record)])
        return self

    def fails(self, code: str, given: Any = None) -> dict[str, Any]:
        """What this code throws."""
        result: dict[str, Any] = self.page.evaluate("([code, given]) => run(code, given)", [code, given])
        assert "error" in result, f"it has not failed: {result}"
        error: dict[str, Any] = result["error"]
        return error

    def told(self) -> list[list[Any]]:
        """The events since this was asked last: [type, detail]."""
        events: list[list[Any]] = self.page.evaluate("told.splice(0)")
        return events

    def wait_until_told(self, event: str) -> Any:
        """The detail of the next event of this type."""
        self.page.wait_for_function("type => told.some(([told]) => told === type)", arg=event)
        return next(detail for name, detail in self.told() if name == event)


@dataclass
class Browser:
    """The app in one browser. Its tabs share cookies and storage."""

    context: BrowserContext
    origin: str
    service: str
    key: str

    def tab(self, before: str = "", **options: Any) -> Tab:
        """A page that has loaded. `before`: what runs in it before its own scripts."""
        page = self.context.new_page()
        if before:
            page.add_init_script(before)
        name = f"gatehouse {self.service} {self.key.split('_')[2]} {options.get('delivery', 'body')}"
        return Tab(page, self.origin, name, options).open()


@contextmanager
def app_in_a_browser(
    running: Running, *, profile: Path | None = None, **policy: Any
) -> Iterator[tuple[Browser, Customer]]:
    """An app of a new customer, whose policy this is."""
    customer = factories.customer(
        **{"code_resend_after": 0, "refresh_grace": 30, "passkey_domain": "localhost", **policy}
    )
    key = factories.api_key(customer)[1]
    facts = {"module": f"{running.url}/static/gatehouse/gatehouse.js", "url": running.url, "key": key}
    with app({"/": PAGE % facts}) as origin:
        factories.policy(customer, allowed_origins=[origin])
        with browser.page(profile=profile) as page:
            yield Browser(page.context, origin, running.url, key), customer
