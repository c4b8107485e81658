"""The world of a test: empty engines, the default customer, a client, and nothing remembered from the test before."""

import os
from collections.abc import Callable, Iterator, Mapping

import pytest
from django.contrib.auth import hashers
from django.core.cache import cache
from django.template import Context, RequestContext, Template
from django.test import Client as DjangoClient
from django.test import TransactionTestCase
from django.test.client import ClientHandler
from django.test.signals import template_rendered
from django.utils import translation
from django.utils.safestring import SafeString
from hypothesis import HealthCheck, settings
from playwright.sync_api import expect

from apps.api import cors
from apps.audit import refusal_budget
from apps.core import valkey
from apps.core.state import process
from apps.customers import keyring
from apps.customers.models import Customer
from apps.customers.policy import Algorithm
from apps.otp import new_codes
from apps.payloads import service_keys
from apps.tokens import remembered_tokens
from demo.client import Client, Wire
from tests import browser, cleaning, factories, remembering, rsa_keys
from tests.contract.documented import CheckedClient
from tests.mail.smtp import make_mail_server
from tests.otp import reading
from tests.running import make_running, running, running_without_mails
from tests.worker import make_worker

__all__ = ["make_mail_server", "make_running", "make_worker", "running", "running_without_mails"]  # fixtures

MakeClient = Callable[..., Client]
Hasher = type(hashers.get_hasher())
REAL_COSTS = {"time_cost": Hasher.time_cost, "memory_cost": Hasher.memory_cost}  # type: ignore[attr-defined]

# How long an example takes says how busy the machine is, and nothing about what it is an example of. Elsewhere than in CI, each run
# has examples of its own: what they find is mended by whoever has met it, and not by whoever pushes something else.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("any machine")
expect.set_options(timeout=browser.PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests begin first, else one worker would still run them when the others have ended."""
    items.sort(key=lambda item: item.get_closest_marker("lengthy") is None)


@pytest.fixture(scope="session", autouse=True)
def passwords_cost_little() -> Iterator[None]:
    """Few tests are about what a password costs, and most have one. Processes that a test starts have the real costs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Hasher, "time_cost", 1)
        patch.setattr(Hasher, "memory_cost", 64)  # KiB
        yield


@pytest.fixture(scope="session", autouse=True)
def rsa_keys_are_drawn_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(keyring.NEW_PRIVATE_KEY, Algorithm.RS256, rsa_keys.draw)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_code_is_one_that_tests_give_as_a_wrong_one() -> Iterator[None]:
    draw = new_codes._random

    def drawn(alphabet: str, length: int) -> str:
        code = draw(alphabet, length)
        return drawn(alphabet, length) if code in reading.NEVER_RIGHT else code

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(new_codes, "_random", drawn)
        yield


@pytest.fixture(scope="session", autouse=True)
def pages_alone_are_noted(django_test_environment: None) -> Iterator[None]:
    """Django's test client keeps what each template was given, for `answer.context`. A page has a hundred within it, and is enough."""

    def render(template: Template, context: Context) -> SafeString:
        if isinstance(context, RequestContext) and context.template is template:
            template_rendered.send(sender=template, template=template, context=context)
        return template.nodelist.render(context)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Template, "_render", render)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_browser_for_all() -> Iterator[None]:
    yield
    browser.close()


@pytest.fixture
def real_costs(passwords_cost_little: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REAL_COSTS.items():
        monkeypatch.setattr(Hasher, name, value)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[cleaning.Pristine]:
    """From now on, what a test wrote is deleted after it."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        noted = cleaning.take_note()
    TransactionTestCase._fixture_teardown = lambda _: cleaning.clean(noted)  # type: ignore[attr-defined]
    # A new connection for each test, and planning that query in it, would take longer than most tests do.
    TransactionTestCase._should_reload_connections = lambda _: False  # type: ignore[attr-defined]
    yield noted
    # A database that somebody is connected to cannot be dropped: a thread of the live server is, as long as a browser is to it.
    process.present().lease.close()
    browser.close()
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        cleaning.wait_until_alone()


@pytest.fixture(autouse=True)
def world(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fresh for every test that uses the engines (marked django_db). Each begins in English: a page in German may have left that."""
    translation.deactivate()
    if request.node.get_closest_marker("django_db") is None:
        yield
        return
    request.getfixturevalue("transactional_db")
    pristine = request.getfixturevalue("django_db_setup")
    forget()
    valkey.client().flushdb()
    cleaning.assert_clean(pristine)
    yield
    forget()


def forget() -> None:
    """What a process remembers."""
    rsa_keys.begin_again()
    keyring.memory.clear()
    remembering.forget_what_was_noted()
    refusal_budget.forget()
    cors._Memory.forget()
    service_keys.forget()
    remembered_tokens.memory.forget()
    process.present().memory.forget_everything()
    cache.close()


def over_django(**environ: str) -> Callable[[str, str, Mapping[str, str], bytes], Wire]:
    """Send through Django's test client: the whole stack but the server. Its middleware is made once, as a server's is."""
    handler = ClientHandler(enforce_csrf_checks=False)  # as in `DjangoClient`
    handler.load_middleware()

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Wire:
        content_type = headers.get("Content-Type", "application/octet-stream")
        others = {name: value for name, value in headers.items() if name != "Content-Type"}
        client = DjangoClient()  # keeps no cookies from the call before
        client.handler = handler
        answer = client.generic(method, path, body, content_type, headers=others, **environ)
        cookies = {"set-cookie": answer.cookies.output(header="", sep="\n")} if answer.cookies else {}
        names = {name.lower(): value for name, value in answer.headers.items()}
        body = answer.getvalue() if answer.streaming else answer.content
        return Wire(answer.status_code, {**names, **cookies}, body)

    return send


@pytest.fixture
def client_for(settings: object) -> MakeClient:
    """`client_for(customer)` calls the API with a key of that customer; `client_for(None)` with none."""

    def make(customer: Customer | None = None, *, ip: str = "192.0.2.7", **options: object) -> Client:
        key = factories.api_key(customer)[1] if customer else None
        service_key = None if "public_jwk" in options else settings.SERVICE_ENCRYPTION_KEY  # type: ignore[attr-defined]
        return CheckedClient(
            **{"send": over_django(REMOTE_ADDR=ip), "api_key": key, "service_key": service_key, **options}  # type: ignore[arg-type]
        )

    return make


@pytest.fixture
def valkey_away(settings: object, own_valkey: object) -> Iterator[object]:
    """A Valkey of this test's own in the place of the shared one: `.kill()` and `.start()` it."""
    before = settings.CACHES  # type: ignore[attr-defined]
    settings.CACHES = {"default": {**before["default"], "LOCATION": own_valkey.url}}  # type: ignore[attr-defined]
    yield own_valkey
