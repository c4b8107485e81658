"""Every error can be read in every language that there are texts in."""

import ast
import gettext
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation

from apps.core.errors import GatehouseError

ROOT = Path(settings.BASE_DIR)
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


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.parts[-3])
def test_what_is_translated_is_said_somewhere(catalogue: Path) -> None:
    said = texts_of_the_code() | {plain(text) for text in re.findall(r"%}(.*?){%", all_templates(), re.DOTALL)}
    quoted = all_templates()
    with catalogue.open("rb") as file:
        left_over = [
            message.id
            for message in read_po(file)
            if message.id and not any(text in said or f'"{text}"' in quoted for text in ids(message.id))
        ]
    assert left_over == []


def texts_of_the_code() -> set[str]:
    """Every string in it."""
    files = (path for path in (ROOT / "apps").rglob("*.py") if "migrations" not in path.parts)
    nodes = (node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def all_templates() -> str:
    files = (path for path in (ROOT / "templates").rglob("*") if path.is_file())
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def plain(text: str) -> str:
    """A block of a template as catalogues have it."""
    return re.sub(r"{{\s*(\w+)\s*}}", r"%(\1)s", text)


def ids(message_id: str | tuple[str, str]) -> tuple[str, ...]:
    return (message_id,) if isinstance(message_id, str) else message_id
