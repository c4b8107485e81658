"""The house plan holds: arrows point down, and the dangerous libraries have one door each (CONTRIBUTING.md)."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPS = ROOT / "apps"
SPEAKS_HTTP = re.compile(
    r"""[/_](views|serializers|schema|answers)\b
    | /(authentication|permissions|parsers|renderers|negotiation|pagination|cookies|forms)$""",
    re.VERBOSE,
)


def test_imports_follow_the_plan() -> None:
    result = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


def test_models_and_flows_know_nothing_of_drf() -> None:
    """What speaks HTTP has a name that says so; a new module is a flow until its name says otherwise."""
    speaks = {
        path
        for path in APPS.rglob("*.py")
        if SPEAKS_HTTP.search("/".join(path.relative_to(APPS).with_suffix("").parts))
    }
    assert speaks
    imports = re.compile(r"^\s*(?:from|import) (?:rest_framework|drf_spectacular)\b", re.MULTILINE)
    assert [
        str(path) for path in set(APPS.rglob("*.py")) - speaks if imports.search(path.read_text(encoding="utf-8"))
    ] == []


def test_every_numbered_paragraph_of_the_contract_has_a_test_that_names_it() -> None:
    """Paragraphs 1.1 to 3.9 of the contract, named in docstrings as "C1.2: …"."""
    paragraphs = [f"1.{number}" for number in range(1, 9)]
    paragraphs += [f"2.1.{number}" for number in range(1, 6)] + [f"2.2.{number}" for number in range(1, 6)]
    paragraphs += ["2.3.1", "2.4.1", "2.4.2", "2.4.3"] + [f"3.{number}" for number in range(1, 10)]
    texts = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"C(\d(?:\.\d)+)", texts))
    assert [paragraph for paragraph in paragraphs if paragraph not in named] == []


def test_no_name_says_nothing() -> None:
    """No utils.py, helpers.py, common.py."""
    nameless = re.compile(r"^(utils?|helpers?|common|misc|manager)\.py$")
    assert [path for path in (ROOT / "apps").rglob("*.py") if nameless.match(path.name)] == []
