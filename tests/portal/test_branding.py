"""A customer's colour and logo on its pages: always readable, and never a way around the Content-Security-Policy."""

import re

import pytest
from django.test import Client as Browser
from hypothesis import given
from hypothesis import strategies as st

from apps.core import colours
from tests import factories

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(COLOURS)
def test_any_colour_can_be_read(colour: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for the text on buttons, and for links on every surface of both schemes."""
    assert colours.contrast(colours.text_on(colour), colour) >= 4.5
    for surface, behind in (
        ("#f3f5f8", "#f3f5f8"),
        ("#ffffff", "#f3f5f8"),
        ("#1a1f27", "#1a1f27"),
        ("#0f1217", "#1a1f27"),
    ):
        assert colours.contrast(colours.readable_on(behind, colour), surface) >= 4.5


def test_contrast_is_as_wcag_counts_it() -> None:
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colours.contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)
    assert colours.readable_on("#ffffff", "#1f4fd8") == "#1f4fd8"  # what can be read already stays


@pytest.mark.django_db
def test_a_stylesheet_follows_from_its_address_and_is_kept() -> None:
    shown = Browser().get("/brand/1f4fd8.css")
    assert shown.headers["Content-Type"].startswith("text/css")
    assert "--button:#1f4fd8;--on-button:#ffffff" in shown.content.decode()
    assert "immutable" in shown.headers["Cache-Control"]
    assert Browser().get("/brand/1f4fd8%7D.css").status_code == 404
    assert Browser().get("/brand/red.css").status_code == 404


@pytest.mark.django_db
def test_a_page_bears_the_customers_look() -> None:
    customer = factories.customer(name="Acme", colour="#B00020", logo_url="https://cdn.example.com/acme.png")
    shown = Browser().get(f"/account/{customer.slug}/forgot-password")
    text, policy = shown.content.decode(), shown.headers["Content-Security-Policy"]
    assert '<link rel="stylesheet" href="/brand/b00020.css">' in text
    assert '<img src="https://cdn.example.com/acme.png"' in text
    assert re.search(r"img-src 'self' https://cdn\.example\.com(;|$)", policy)
    assert "style=" not in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["https://evil;script-src*/x.png", "https://a b/x.png", "http://cdn.example.com/x.png"]
)
def test_a_logo_adds_nothing_else_to_the_policy(address: str) -> None:
    customer = factories.customer(logo_url="https://cdn.example.com/acme.png")
    type(customer).objects.filter(id=customer.id).update(logo_url=address)
    shown = Browser().get(f"/account/{customer.slug}/forgot-password")
    assert "<img" not in shown.content.decode()
    assert "evil" not in shown.headers["Content-Security-Policy"]


@pytest.mark.django_db
def test_a_customer_nobody_has_vouched_for_looks_like_us() -> None:
    customer = factories.customer(name="Your Bank", colour="#ff0000", logo_url="https://cdn.example.com/bank.png")
    type(customer).objects.filter(id=customer.id).update(owner_is_proven=False)
    text = Browser().get(f"/account/{customer.id}/forgot-password").content.decode()
    assert "Your Bank" not in text
    assert "bank.png" not in text
