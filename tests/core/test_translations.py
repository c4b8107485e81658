"""Every error can be read in every language that there are texts in."""

import ast
import gettext
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import unfold
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.conf import settings
from django.contrib import auth
from django.utils import translation
from django.utils.translation.template import templatize

from apps.core.errors import GatehouseError
from tests.operators.reading import words_of

ROOT = Path(settings.BASE_DIR)
LIBRARIES = (
    Path(unfold.__file__).parent,
    Path(auth.__file__).parent,
)  # of the admin; not all they say comes with German
MARKS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "lazy"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
}
# Texts that are the same in German.
SAME = {
    *("Administrator", "CSV", "Code", "Codes", "Gatehouse", "JSON Lines", "Live", "Logo", "Mail", "Mails", "Name"),
    *("Operator", "Passkey", "Passkeys", "SMS", "Status", "Support", "System", "Test", "in", "Info"),
    *("%d h", "%d min", "%d s", "%s h", "%s min", "%s s", "%s %%"),
}
# In templates: names, and classes that a block hands on.
AS_THEY_ARE = {"CSV", "Ctrl + K", "Gatehouse", "JSON Lines", "UTC", "bg-base-50 login dark:bg-base-900", "esc", "wide"}
WORD = re.compile(r"[^\W\d_]{2}")
ONLY_ENGLISH = "documentation"  # /api/docs, like all that is written for those who program
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


def test_every_text_that_is_marked_has_a_german_one() -> None:
    with translation.override("de"):
        english = {text for text in marked() if text not in SAME and translation.gettext(text) == text}
    assert not english


def test_templates_have_no_text_that_is_not_marked() -> None:
    """What stands in them as it is would be English for everybody."""
    found = {(path.name, text) for path in templates() for text in words_of(bare(path)) if WORD.search(text)}
    assert not {(name, text) for name, text in found if text.strip("| ·") not in AS_THEY_ARE}


def test_the_scripts_of_pages_have_no_words_of_their_own() -> None:
    """Pages hand them their texts: a script has no German."""
    scripts = [path for room in ("operators", "portal") for path in (ROOT / "apps").glob(f"*/static/{room}/*.js")]
    code = "\n".join(
        re.sub(r"^\s*(//|/?\*).*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE) for path in scripts
    )
    assert len(scripts) > 10
    assert not re.findall(r"""['"`][A-Z][a-z]+[ .!?…][^'"`\n]*['"`]""", code)


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


def marked() -> Iterator[str]:
    """Every text of our code and templates that is to be translated; of a plural the singular."""
    code = [
        path for room in ("apps", "config") for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts
    ]
    sources = [path.read_text(encoding="utf-8") for path in code]
    for path in templates():
        as_code = templatize(path.read_text(encoding="utf-8"))
        sources.append("\n".join(line.strip() for line in as_code.splitlines()))
    called = re.compile(rf"\b(?:{'|'.join(MARKS)})\s*\(")
    for source in filter(called.search, sources):  # reading all words of what has no mark takes half of the time
        for _line, message, _comments, context in extract("python", io.BytesIO(source.encode()), keywords=MARKS):
            if context is None:
                yield message if isinstance(message, str) else message[0]


def templates() -> list[Path]:
    files = [path for path in (ROOT / "templates").rglob("*") if path.is_file()]
    return [path for path in files if ONLY_ENGLISH not in path.parts]


def bare(path: Path) -> str:
    """A template without what is translated or filled in."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(
        r"{%\s*blocktranslate.*?endblocktranslate\s*%}|{%\s*comment.*?endcomment\s*%}", "", text, flags=re.DOTALL
    )
    return re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", "", text, flags=re.DOTALL)


def texts_of_the_code() -> set[str]:
    """Every string in it."""
    rooms = (ROOT / "apps", ROOT / "config", *LIBRARIES)
    files = (path for room in rooms for path in room.rglob("*.py") if "migrations" not in path.parts)
    nodes = (node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def all_templates() -> str:
    files = [path for path in (ROOT / "templates").rglob("*") if path.is_file()]
    files += [path for library in LIBRARIES for path in library.rglob("*.html")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def plain(text: str) -> str:
    """A block of a template as catalogues have it."""
    return re.sub(r"{{\s*(\w+)\s*}}", r"%(\1)s", text)


def ids(message_id: str | tuple[str, str]) -> tuple[str, ...]:
    return (message_id,) if isinstance(message_id, str) else message_id
