"""How a customer's pages look: its name, its logo, and its colour in shades that can be read on light and dark pages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.urls import reverse

from apps.customers.state import CustomerState
from apps.mail.content import COLOUR, DEFAULT_COLOUR

READABLE = 4.5  # WCAG 2.2, success criterion 1.4.3: text against what is behind it
LIGHT_PAGE, DARK_CARD = "#f3f5f8", "#1a1f27"  # the surfaces of page.css against which a colour is read worst
BLACK, WHITE = "#000000", "#ffffff"
STEPS = 20
PICTURE_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?")


@dataclass(frozen=True)
class PageBrand:
    """What a page shows of its customer. `picture_origin`: where the logo may be loaded from."""

    name: str
    stylesheet: str
    logo_url: str = ""
    picture_origin: str = ""


def of(customer: CustomerState) -> PageBrand:
    brand = customer.branding
    origin = _origin_of(brand.logo_url)
    return PageBrand(
        name=brand.name,
        stylesheet=reverse("brand-stylesheet", kwargs={"colour": (_known(brand.colour) or DEFAULT_COLOUR)[1:].lower()}),
        logo_url=brand.logo_url if origin else "",
        picture_origin=origin,
    )


def stylesheet(colour: str) -> str:
    """The custom properties that page.css uses, for light and dark pages. `colour`: #rrggbb."""
    on_light, on_dark = readable_on(LIGHT_PAGE, colour), readable_on(DARK_CARD, colour)
    button = f"--button:{colour};--on-button:{text_on(colour)}"
    return (
        f":root{{{button};--link:{on_light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{button};--link:{on_dark}}}}}\n"
    )


def text_on(colour: str) -> str:
    """Black or white, whichever is read better on this colour. One of the two always passes: 4.58 at least."""
    return max((WHITE, BLACK), key=lambda text: contrast(text, colour))


def readable_on(background: str, colour: str) -> str:
    """The colour, made darker or lighter until text in it can be read on this background."""
    return next(shade for shade in _shades(colour, text_on(background)) if contrast(shade, background) >= READABLE)


def contrast(left: str, right: str) -> float:
    """The contrast ratio of two colours: 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((_luminance(left), _luminance(right)))
    return (lighter + 0.05) / (darker + 0.05)


def _shades(colour: str, towards: str) -> Iterator[str]:
    for step in range(STEPS + 1):
        pairs = zip(_channels(colour), _channels(towards), strict=True)
        mixed = (round(start + (end - start) * step / STEPS) for start, end in pairs)
        yield "#" + "".join(f"{channel:02x}" for channel in mixed)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _known(colour: str) -> str:
    return colour if COLOUR.fullmatch(colour) else ""


def _origin_of(logo_url: str) -> str:
    """The logo's origin as a Content-Security-Policy may name it. Empty if there is no logo, or its host is an odd one."""
    parts = urlsplit(logo_url)
    origin = f"{parts.scheme}://{parts.netloc.lower()}"
    return origin if PICTURE_ORIGIN.fullmatch(origin) else ""
