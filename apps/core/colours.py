"""Colours that can be read: which text stands on a colour, and which shade of it stands on a page (WCAG 2.2)."""

from collections.abc import Iterator
from dataclasses import dataclass

READABLE = 4.5  # success criterion 1.4.3: text against what is behind it
LIGHT_PAGE, DARK_CARD = "#f3f5f8", "#1a1f27"  # the surfaces of hosted pages against which a colour is read worst
BLACK, WHITE = "#000000", "#ffffff"
STEPS = 20


@dataclass(frozen=True)
class PageColours:
    """What hosted pages make of a customer's colour."""

    button: str
    on_button: str
    link_on_light: str
    link_on_dark: str


def of_page(colour: str) -> PageColours:
    """`colour`: #rrggbb."""
    return PageColours(colour, text_on(colour), readable_on(LIGHT_PAGE, colour), readable_on(DARK_CARD, colour))


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
