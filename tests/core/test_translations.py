"""Every error can be read in every language that there are texts in."""

import gettext
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation

from apps.core.errors import GatehouseError

CATALOGUES = sorted(Path(settings.LOCALE_PATHS[0]).glob("*/LC_MESSAGES/django.po"))


def kinds(kind: type[GatehouseError] = GatehouseError) -> list[type[GatehouseError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in kinds(child))]


@pytest.mark.parametrize(
    "kind", sorted(set(kinds()), key=lambda kind: kind.__qualname__), ids=lambda kind: kind.__name__
)
def test_an_errors_message_is_translated(kind: type[GatehouseError]) -> None:
    with translation.override("en"):
        english = str(kind.message)
    with translation.override("de"):
        assert str(kind.message) != english


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.parts[-3])
def test_what_is_compiled_is_what_is_written(catalogue: Path) -> None:
    with catalogue.open("rb") as file:
        written = read_po(file)
    with catalogue.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in written:
        if not message.id:
            continue  # the header, which bears the time
        assert message.string
        assert not message.fuzzy
        if isinstance(message.id, str):
            assert compiled.gettext(message.id) == message.string
        else:
            assert [compiled.ngettext(*message.id, number) for number in (1, 2)] == list(message.string)
