"""The approval queue as operators work through it: by a key for each, with the documents beside the decision.

test_twelve_tasks approves ten by one question.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route

from apps.approvals import decisions
from apps.approvals.models import CheckState, IdentityCheck
from apps.audit.models import Event
from apps.customers.models import Customer
from apps.users.models import User, UserStatus
from tests import browser, factories
from tests.conftest import MakeClient
from tests.files.conftest import storage  # noqa: F401  (a fixture)
from tests.files.keeping import Place
from tests.operators import looking
from tests.operators.looking import enter, fits
from tests.operators.signing_in import operator
from tests.worker import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/approvals/identitycheck/"
# The page ignores keys for half a second after its scripts have run, which they have when it is loaded.
KEYS_LIVE = """() => {
  const { loadEventEnd } = performance.getEntriesByType("navigation")[0]
  return loadEventEnd > 0 && performance.now() > loadEventEnd + 500
}"""
POLLED_MS = 50  # at each frame, as Playwright does else, the browser draws the page for nothing
# A key presses a button or follows a link while it is handled: afterwards nothing is to come.
COUNTED = "window.steps = 0; addEventListener('click', () => { window.steps += 1 }, true)"
# A key, at the last moment at which it surely counts for nothing: no script of the page has run before its `domInteractive`.
TOO_EARLY = """key => {
  const pressed = new KeyboardEvent("keydown", { key, bubbles: true })
  const { domInteractive } = performance.getEntriesByType("navigation")[0]
  Object.defineProperty(pressed, "timeStamp", { value: domInteractive + 499 })
  document.body.dispatchEvent(pressed)
}"""


def picture(width: int = 480, height: int = 300) -> bytes:
    """A PNG that browsers can show: a gradient."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = b"".join(
        b"\0" + bytes((x * 255 // width, y * 255 // height, 160)[i] for x in range(width) for i in range(3))
        for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture
def customer() -> Customer:
    operator()
    return factories.customer(name="Analytical Engines", demands_approval=True, demands_verified_email=False)


@pytest.fixture
def four(customer: Customer) -> Iterator[list[IdentityCheck]]:
    for number in range(4):
        user = factories.user(customer, f"user{number}@example.com", status=UserStatus.PENDING)
        decisions.open_for(user, customer=factories.state_of(customer), now=timezone.now())
    yield list(IdentityCheck.objects.order_by("created_at", "id"))


def open_first(page: Page, url: str) -> None:
    enter(page, url, LIST)
    with browser.next_page(page):
        page.locator("#result_list th a").first.click()
    page.locator("[data-desk]").wait_for()


def press(page: Page, key: str) -> None:
    page.wait_for_function(KEYS_LIVE, polling=POLLED_MS)
    page.keyboard.press(key)


def step(page: Page, key: str) -> None:
    """On to the page that this key leads to."""
    page.wait_for_function(KEYS_LIVE, polling=POLLED_MS)
    with browser.next_page(page):
        page.keyboard.press(key)


@contextmanager
def held_back(page: Page, address: str) -> Iterator[list[Route]]:
    """What the page asks for at this address, which goes to the server when this ends. It must ask."""
    asked: list[Route] = []
    page.route(address, lambda route: asked.append(route))  # noqa: PLW0108  (Playwright keeps a note on the function)
    yield asked
    wait_until(lambda: asked or page.wait_for_timeout(POLLED_MS))  # an event tells of a request before it is held back
    for each in asked:
        each.continue_()
    page.unroute(address)


def test_each_is_approved_by_a_key(live_server: object, four: list[IdentityCheck]) -> None:
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        open_first(page, url)
        for check in four:
            page.wait_for_url(f"**{LIST}{check.id}/change/")
            step(page, "a")
        page.wait_for_url(f"**{LIST}")
    assert set(User.objects.values_list("status", flat=True)) == {UserStatus.ACTIVE}
    assert Event.objects.filter(action="user_approved", actor="operator:ops@example.com").count() == 4


def test_a_key_does_nothing_while_somebody_types_and_when_keys_are_off(
    live_server: object, four: list[IdentityCheck]
) -> None:
    """WCAG 2.1.4. And a rejection needs its reason."""
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        open_first(page, url)
        press(page, "r")
        assert page.evaluate("document.activeElement.name") == "reason"
        page.keyboard.type("a blurred part, n p a")
        assert page.locator("#id_reason").input_value() == "a blurred part, n p a"
        assert page.url.endswith(f"{four[0].id}/change/")
        page.locator("#id_reason").fill("")
        page.get_by_role("button", name="Reject").click()
        page.locator("#id_reason:focus:invalid").wait_for()
        assert not IdentityCheck.objects.exclude(state=CheckState.WAITING).exists(), "without a reason"
        page.locator("#id_reason").fill("The picture is blurred")
        with browser.next_page(page):
            page.get_by_role("button", name="Reject").press("Enter")
        page.wait_for_url(f"**{four[1].id}/change/")
        assert IdentityCheck.objects.get(id=four[0].id).reason == "The picture is blurred"
        step(page, "n")
        page.wait_for_url(f"**{four[2].id}/change/")
        step(page, "p")
        page.wait_for_url(f"**{four[1].id}/change/")
        page.evaluate(COUNTED)
        for combined in ("Control+a", "Alt+a"):
            press(page, combined)
        assert page.evaluate("steps") == 0
        page.get_by_label("Single keys decide", exact=False).uncheck()
        page.evaluate("steps = 0")
        press(page, "a")
        assert page.evaluate("steps") == 0
        page.reload()
        assert not page.get_by_label("Single keys decide", exact=False).is_checked(), "it is remembered"
        page.evaluate(COUNTED)
        press(page, "a")
        assert page.evaluate("steps") == 0
        assert page.url.endswith(f"{four[1].id}/change/")
    assert not IdentityCheck.objects.filter(state=CheckState.APPROVED).exists()


def test_a_key_pressed_twice_decides_about_nobody_unseen(live_server: object, four: list[IdentityCheck]) -> None:
    """Neither while the decision is on its way, nor when the next user has just come."""
    url = live_server.url  # type: ignore[attr-defined]
    with browser.kept_page() as page:
        open_first(page, url)
        with browser.next_page(page), held_back(page, "**/approve/") as asked:
            press(page, "a")
            page.keyboard.press("a")
        assert len(asked) == 1
        page.wait_for_url(f"**{four[1].id}/change/")
        page.evaluate(COUNTED)
        page.evaluate(TOO_EARLY, "a")
        assert page.evaluate("steps") == 0
        step(page, "n")
        page.wait_for_url(f"**{four[2].id}/change/")
    assert IdentityCheck.objects.filter(state=CheckState.APPROVED).count() == 1


def test_the_documents_open_beside_and_below_on_a_phone(
    live_server: object,
    customer: Customer,
    client_for: MakeClient,
    storage: Path,  # noqa: F811
) -> None:
    """What the operator sees is noted as opened, and nothing of it runs."""
    url = live_server.url  # type: ignore[attr-defined]
    place = Place(client_for, storage)
    place.keep(picture(), name="passport, front.png")
    place.keep(picture(300, 400), name="passport, back.png")
    place.user.status = UserStatus.PENDING
    place.user.save()
    check = IdentityCheck.objects.create(user=place.user, customer=place.customer, created_at=timezone.now())
    with browser.kept_page() as page:
        open_first(page, url)
        assert str(check.id) in page.url
        frame = page.locator("iframe[name=opened-document]").element_handle().content_frame()
        assert frame
        frame.locator("img").wait_for()
        frame.wait_for_function("document.images[0].naturalWidth === 480")
        assert is_beside(page)
        page.get_by_role("link", name="passport, back.png", exact=True).click()
        frame.wait_for_function("document.images[0] && document.images[0].naturalWidth === 300")
        faults = looking.faults(page, "approval", within="[data-desk]")
        page.set_viewport_size({"width": 390, "height": 780})
        assert fits(page)
        assert not is_beside(page)
    assert not faults, "\n".join(faults)
    assert Event.objects.filter(action="file_opened", actor="operator:ops@example.com").count() >= 2


def is_beside(page: Page) -> bool:
    decision, document = (
        page.locator(f"section[aria-labelledby={name}]").bounding_box() for name in ("decision", "documents")
    )
    assert decision and document
    return document["x"] >= decision["x"] + decision["width"]
