"""The documents do not lie about what can be checked: links, commands, settings."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CONFIGURATION = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "config").rglob("*.py"))
OF_COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")


def named(pattern: str, path: Path) -> list[str]:
    return re.findall(pattern, path.read_text(encoding="utf-8"), flags=re.MULTILINE)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    targets = [target.partition("#")[0] for target in named(r"\]\((?![a-z]+:)([^)\s]+)\)", document)]
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_exists(document: Path) -> None:
    commands = named(r"manage\.py ([a-z_]+)", document)
    assert [command for command in commands if command not in get_commands()] == []


@pytest.mark.parametrize("document", [*DOCUMENTS, ROOT / ".env.example", ROOT / "compose.yaml"], ids=name_of)
def test_every_target_of_make_exists(document: Path) -> None:
    makefile = ROOT / "Makefile"
    targets = named(r"(?:`|^    )make ([a-z]+)", document)
    assert [target for target in targets if target not in named(r"^([a-z]+):", makefile)] == []


def test_what_is_checked_is_found() -> None:
    """The patterns above match what they are for: none of these tests passes for want of anything to check."""
    texts = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    assert {"rotate_master_key", "verify_audit_log"} <= set(re.findall(r"manage\.py ([a-z_]+)", texts))
    assert "[docs/encryption.md](docs/encryption.md)" in texts
    assert {"SECRET_KEY", "LOG_LEVEL"} <= set(settings_listed())


def settings_listed() -> list[str]:
    return named(r"^#?([A-Z][A-Z_]+)=", ROOT / ".env.example")


@pytest.mark.parametrize("name", settings_listed())
def test_every_listed_setting_is_read(name: str) -> None:
    assert f'"{name}"' in CONFIGURATION or f"${{{name}:" in OF_COMPOSE


def test_every_setting_that_is_read_is_listed() -> None:
    read = re.findall(r'\benv\.(?:str|int|float|bool|list)\(\s*"([A-Z_]+)"', CONFIGURATION)
    read += re.findall(r'os\.environ(?:\.get\(|\[)"([A-Z_]+)"', CONFIGURATION)
    set_by_django = {"DJANGO_SETTINGS_MODULE"}
    assert sorted(set(read) - set(settings_listed()) - set_by_django) == []
