"""Every error can be read in every language that there are texts in."""

import io
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
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
    compiled = io.BytesIO()
    write_mo(compiled, written)
    assert catalogue.with_suffix(".mo").read_bytes() == compiled.getvalue()
    assert not [message.id for message in written if message.id and (message.fuzzy or not message.string)]
