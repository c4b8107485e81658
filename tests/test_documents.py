"""The documents do not lie about what can be checked: links, commands, settings, calls, limits, errors."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.urls import Resolver404, resolve
from django.utils.module_loading import import_string

import apps
from apps.api.envelope import Envelope
from apps.api_keys.models import Scope
from apps.core.errors import GatehouseError
from apps.customers import limits
from apps.customers.models import Customer
from apps.mail import quotas
from tests.contract.operations import OPERATIONS as CALLS
from tests.contract.operations import envelope_of

ROOT = Path(__file__).resolve().parent.parent
INSTALLED = {"node_modules", ".venv"}  # what the examples stand on
DOCUMENTS = sorted(
    path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")] if not INSTALLED & {*path.parts}
)
DECISIONS = ROOT / "docs" / "decisions"
CONFIGURATION = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "config").rglob("*.py"))
OF_COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
LONGEST_LINE = 120  # characters; tables and drawings cannot be broken

NAMES_NO_SETTING = {"NAME_FILE"}  # "as `NAME_FILE`": of any of them
OF_DJANGO = {"DJANGO_SETTINGS_MODULE"}
OF_THE_BUILD = {"GATEHOUSE_CHROMIUM"}


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def named(pattern: str, path: Path) -> list[str]:
    return re.findall(pattern, text_of(path), flags=re.MULTILINE)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose_of(path: Path) -> str:
    """Without blocks of code."""
    return re.sub(r"^```.*?^```$", "", text_of(path), flags=re.MULTILINE | re.DOTALL)


def rows_of(path: Path, *heads: str) -> list[list[str]]:
    """The cells of the table that has these heads."""
    lines = text_of(path).splitlines()
    begin = lines.index(f"| {' | '.join(heads)} |") + 2
    rows = []
    for line in lines[begin:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def bare(cell: str) -> str:
    return cell.strip("`")


every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)


# --- Links ------------------------------------------------------------------------------------------------------------


def anchors_of(path: Path) -> set[str]:
    """As GitHub makes them of headings."""
    heads = re.findall(r"^#+ (.+)$", prose_of(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def leads_somewhere(document: Path, target: str) -> bool:
    place, _, anchor = target.partition("#")
    path = (document.parent / place).resolve() if place else document
    return path.exists() and (not anchor or anchor in anchors_of(path))


@every_document
def test_every_link_leads_somewhere(document: Path) -> None:
    """To a file that exists, and there to a heading that exists."""
    targets = named(r"\]\((?![a-z]+:)([^)\s]+)\)", document)
    assert [target for target in targets if not leads_somewhere(document, target)] == []


@every_document
def test_no_document_points_outside_the_repository(document: Path) -> None:
    """A clone stands alone."""
    targets = [target.partition("#")[0] for target in named(r"\]\((?![a-z]+:)([^)#\s]+)\)", document)]
    outside = [target for target in targets if not (document.parent / target).resolve().is_relative_to(ROOT)]
    outside += [
        path
        for path in named(r"`(\.\./[^`]*)`", document)
        if not (document.parent / path).resolve().is_relative_to(ROOT)
    ]
    assert outside == []


def test_every_document_is_linked_from_the_readme() -> None:
    linked = {(ROOT / target.partition("#")[0]).resolve() for target in named(r"\]\(([^)\s]+)\)", ROOT / "README.md")}
    own = {ROOT / "README.md", *DECISIONS.glob("*.md")}
    assert [name_of(path) for path in DOCUMENTS if path not in linked | own] == []


# --- Commands, paths, names -------------------------------------------------------------------------------------------


@every_document
def test_every_command_exists(document: Path) -> None:
    commands = named(r"manage\.py ([a-z_]+)", document)
    assert [command for command in commands if command not in get_commands()] == []


@pytest.mark.parametrize("document", [*DOCUMENTS, ROOT / ".env.example", ROOT / "compose.yaml"], ids=name_of)
def test_every_target_of_make_exists(document: Path) -> None:
    targets = named(r"(?:`|^    )make ([a-z-]+)", document)
    assert [target for target in targets if target not in named(r"^([a-z-]+):", ROOT / "Makefile")] == []


@every_document
def test_every_variable_of_make_is_read(document: Path) -> None:
    variables = named(r"(?:`|^    )make [a-z-]+ ([A-Z]+)=", document)
    assert [name for name in variables if not re.search(rf"\b{name}\b", MAKEFILE)] == []


@every_document
def test_every_path_exists(document: Path) -> None:
    """In the repository, or, as CONTRIBUTING and the decisions write them, in `apps/` or in a room of it."""
    paths = named(r"`((?:[\w.-]+/)+[\w.-]*\.(?:py|md|mjs|json|yaml|toml|po)|\.ci/\w+)`", document)
    assert [path for path in paths if not ((ROOT / path).exists() or (ROOT / "apps" / path).exists())] == []


@every_document
def test_every_class_and_module_exists(document: Path) -> None:
    assert [name for name in named(r"`(apps(?:\.\w+)+)`", document) if not is_importable(name)] == []


def is_importable(name: str) -> bool:
    for load in (importlib.import_module, import_string):
        try:
            load(name)
        except ImportError:
            continue
        return True
    return False


@every_document
def test_every_setting_that_is_named_exists(document: Path) -> None:
    known = {*settings_listed(), *NAMES_NO_SETTING, *OF_DJANGO, *OF_THE_BUILD}
    names = re.findall(r"`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", prose_of(document))
    assert [name for name in names if name not in known] == []


def settings_listed() -> list[str]:
    return named(r"^#?([A-Z][A-Z_]+)=", ROOT / ".env.example")


@pytest.mark.parametrize("name", settings_listed())
def test_every_listed_setting_is_read(name: str) -> None:
    assert f'"{name}"' in CONFIGURATION or f"${{{name}:" in OF_COMPOSE


def test_every_setting_that_is_read_is_listed() -> None:
    read = re.findall(r'\benv\.(?:str|int|float|bool|list)\(\s*"([A-Z_]+)"', CONFIGURATION)
    read += re.findall(r'os\.environ(?:\.get\(|\[)"([A-Z_]+)"', CONFIGURATION)
    assert sorted(set(read) - set(settings_listed()) - OF_DJANGO) == []


# --- Calls ------------------------------------------------------------------------------------------------------------


@every_document
def test_every_call_exists(document: Path) -> None:
    """What is written as `METHOD /path` answers to that method."""
    calls = re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`?\s]*)[^`]*`", prose_of(document))
    assert [call for call in calls if not answers(*call)] == []


def answers(method: str, path: str) -> bool:
    concrete = path.replace("{slug}", "acme")
    concrete = re.sub(r"\{\w+\}", "01900000-0000-7000-8000-000000000001", concrete)
    try:
        view = resolve(concrete).func
    except Resolver404:
        return False
    kind = getattr(view, "view_class", getattr(view, "cls", None))
    return kind is None or hasattr(kind, method.lower())


def test_every_call_is_documented() -> None:
    """Each call of the schema, by method and path, in some document."""
    texts = "\n".join(map(text_of, DOCUMENTS))
    assert sorted(name for name in CALLS if f"`{as_written(name)}" not in texts) == []


def as_written(name: str) -> str:
    """What the schema names `{passkey_id}` the documents name `{id}`."""
    return re.sub(r"\{(?!slug|check_id)\w+\}", "{id}", name)


def test_the_calls_that_are_encrypted_to_the_service_are_listed() -> None:
    rows = rows_of(ROOT / "docs" / "encryption.md", "what for", "paths")
    listed = [bare(path) for _, paths in rows for path in paths.split(", ")]
    service = [name for name in CALLS if envelope_of(name) == Envelope.SERVICE.value]
    assert sorted(f"POST {path}" for path in listed) == sorted(service)


# --- Numbers and types ------------------------------------------------------------------------------------------------

OPERATIONS = ROOT / "docs" / "operations.md"
UNITS = {"min": 60, "h": 3600}


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_the_limits_are_those_of_the_code() -> None:
    rows = {bare(name): default for name, default, _ in rows_of(OPERATIONS, "limit", "default", "counted for")}
    columns = {
        quotas.CODES_PER_DAY: "daily_code_quota",
        quotas.CODES_PER_MONTH: "monthly_code_quota",
        quotas.SMS_PER_DAY: "daily_sms_quota",
        quotas.SMS_PER_MONTH: "monthly_sms_quota",
    }
    assert sorted(rows) == sorted([*limits.DEFAULTS, *columns])
    assert {name: limit_in(rows[name]) for name in limits.DEFAULTS} == {
        limit.name: (limit.count, limit.window) for limit in limits.DEFAULTS.values()
    }
    assert {name: number(rows[name].partition(" ")[0]) for name in columns} == {
        name: Customer._meta.get_field(field).default for name, field in columns.items()
    }


def limit_in(text: str) -> tuple[int, int]:
    """ "5 in 15 min" as count and window in seconds; "100, ever" has none."""
    found = re.fullmatch(r"([\d,]+)(?: in (\d+) (min|h)|, ever)", text)
    assert found, text
    count, length, unit = found.groups()
    return number(count.rstrip(",")), int(length) * UNITS[unit] if length else limits.EVER


def error_types() -> dict[str, int]:
    """Each type of error and its status, of whatever classes there are in `apps`."""
    for module in pkgutil.walk_packages(apps.__path__, "apps."):
        if module.name.endswith(("errors", "error_answers")):
            importlib.import_module(module.name)
    kinds = [GatehouseError, *derived(GatehouseError)]
    return {
        str(kind.type): kind.status for kind in kinds if "type" in vars(kind) and kind.__module__.startswith("apps.")
    }


def derived(kind: type[GatehouseError]) -> Iterator[type[GatehouseError]]:
    for child in kind.__subclasses__():
        yield child
        yield from derived(child)


def test_the_table_of_errors_is_that_of_the_code() -> None:
    rows = rows_of(ROOT / "docs" / "clients.md", "status", "type", "when")
    listed = [(bare(name), int(status)) for status, name, _ in rows]
    assert listed == sorted(listed, key=lambda item: (item[1], item[0])), "sorted by status, then by name"
    assert dict(listed) == error_types()
    assert len(dict(listed)) == len(listed), "none twice"
    assert all(when for _, _, when in rows)


def test_errors_are_all_defined_where_the_table_looks_for_them() -> None:
    """In `errors.py` of a room, or in `error_answers.py`."""
    defining = re.compile(r"^class \w+\((?:\w+\.)?(?:GatehouseError|AuthenticationError|RateLimited)\)", re.MULTILINE)
    places = [path for path in (ROOT / "apps").rglob("*.py") if defining.search(text_of(path))]
    assert {path.name for path in places} == {"errors.py", "error_answers.py"}


@every_document
def test_every_error_is_named_with_its_status(document: Path) -> None:
    """Wherever a status and a type stand together: "409 `last_admin`"."""
    together = re.findall(r"\b([45]\d\d) `([a-z0-9_]+)`", text_of(document).replace("\n", " "))
    known = error_types()
    assert [pair for pair in together if known.get(pair[1]) != int(pair[0])] == []


def test_the_scopes_are_those_of_the_code() -> None:
    rows = rows_of(ROOT / "docs" / "clients.md", "scope", "opens")
    listed = [name for cell, _ in rows for name in re.findall(r"`([a-z:]+)`", cell)]
    assert sorted(listed) == sorted(Scope.values)


def test_it_is_said_of_every_middleware_who_does_its_work_for_a_shortcut() -> None:
    """And in the order of the chain. Who adds one to the chain has to think of what is answered before it."""
    rows = rows_of(ROOT / "docs" / "decisions" / "0016-calls-before-djangos-handler.md", "middleware", "in its place")
    assert [cells[0] for cells in rows] == [f"`{path.rpartition('.')[2]}`" for path in settings.MIDDLEWARE]


# --- Form -------------------------------------------------------------------------------------------------------------


@every_document
def test_no_line_is_too_long(document: Path) -> None:
    unbreakable = re.compile(r"\s*\|| .*[│┌└─►]")
    lines = [line for line in text_of(document).splitlines() if not unbreakable.match(line)]
    assert [line for line in lines if len(line) > LONGEST_LINE] == []


def test_what_is_checked_is_found() -> None:
    """The patterns above match what they are for: none of these tests passes for want of anything to check."""
    texts = "\n".join(map(text_of, DOCUMENTS))
    assert {"rotate_master_key", "verify_audit_log"} <= set(re.findall(r"manage\.py ([a-z_]+)", texts))
    assert "[docs/encryption.md](docs/encryption.md)" in texts
    assert {"SECRET_KEY", "LOG_LEVEL"} <= set(settings_listed())
    assert "test-keys-for-test-customers-only" in anchors_of(ROOT / "docs" / "clients.md")
    assert not leads_somewhere(ROOT / "README.md", "docs/clients.md#nowhere")
    assert answers("GET", "/api/auth/me")
    assert answers("PATCH", "/api/auth/2fa/passkeys/{id}")
    assert not answers("PUT", "/api/auth/me")
    assert {"last_admin", "not_acceptable", "bad_request", "no_second_factor"} <= set(error_types())
    assert is_importable("apps.mail.sms_transports.Twilio")
    assert not is_importable("apps.mail.sms_transports.Pigeon")
