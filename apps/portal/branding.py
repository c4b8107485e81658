"""How a customer's pages look: its name, its logo, and its colour in shades that can be read on light and dark pages."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.urls import reverse

from apps.core import colours
from apps.customers.state import CustomerState
from apps.mail.content import COLOUR, DEFAULT_COLOUR

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
    shades = colours.of_page(colour)
    button = f"--button:{shades.button};--on-button:{shades.on_button}"
    return (
        f":root{{{button};--link:{shades.link_on_light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{button};--link:{shades.link_on_dark}}}}}\n"
    )


def _known(colour: str) -> str:
    return colour if COLOUR.fullmatch(colour) else ""


def _origin_of(logo_url: str) -> str:
    """The logo's origin as a Content-Security-Policy may name it. Empty if there is no logo, or its host is an odd one."""
    parts = urlsplit(logo_url)
    origin = f"{parts.scheme}://{parts.netloc.lower()}"
    return origin if PICTURE_ORIGIN.fullmatch(origin) else ""
