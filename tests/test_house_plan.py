"""The house plan holds: arrows point down, and the dangerous libraries have one door each (CONTRIBUTING.md)."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPS = ROOT / "apps"


def test_imports_follow_the_plan() -> None:
    result = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


def test_every_numbered_paragraph_of_the_contract_has_a_test_that_names_it() -> None:
    """In its docstring, as "C1.2: …"."""
    paragraphs = list(numbered_paragraphs())
    assert {"1.1", "2.1.5", "2.4.3", "3.10", "7.3"} <= set(paragraphs)
    texts = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"C(\d+(?:\.\d+)+)", texts))
    assert [paragraph for paragraph in paragraphs if paragraph not in named] == []


def numbered_paragraphs() -> Iterator[str]:
    """Those of docs/contract.md: the number of the heading they stand under, and their own."""
    under = ""
    for line in (ROOT / "docs" / "contract.md").read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"##+ (\d+(?:\.\d+)?)\b", line):
            under = heading[1]
        if paragraph := re.match(r"(\d+)\. ", line):
            yield f"{under}.{paragraph[1]}"


def test_no_name_says_nothing() -> None:
    """No utils.py, helpers.py, common.py."""
    nameless = re.compile(r"^(utils?|helpers?|common|misc|manager)\.py$")
    assert [path for path in (ROOT / "apps").rglob("*.py") if nameless.match(path.name)] == []
