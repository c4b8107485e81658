"""Results of whole runs, in `benchmarks/results/`: one document of JSON a day, and its table as Markdown.

Documents show the newest result's table between two marks (`BEGIN`, `END`), and the command writes it there. So they hold no
figure that the command has not printed.
"""

import json
import re
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import table
from benchmarks.table import Row
from config.environment import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "benchmarks" / "results"
DOCUMENTS = (PROJECT_ROOT / "README.md", PROJECT_ROOT / "docs" / "performance.md")
LONGEST_LINE = 110
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
BLOCK = re.compile(f"(?<={re.escape(BEGIN)}\n).*?(?={re.escape(END)})", re.DOTALL)


@dataclass(frozen=True)
class Group:
    """The rows of one job."""

    job: str
    title: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Result:
    """A whole run. `options`: rounds, seconds, calls, sizes."""

    date: str
    revision: str
    versions: dict[str, str]
    machine: dict[str, str]
    options: dict[str, Any]
    took_seconds: float
    groups: Sequence[Group] = field(default_factory=tuple)

    def tabled(self) -> list[tuple[str, Sequence[Row]]]:
        return [(group.title, group.rows) for group in self.groups]

    def markdown(self) -> str:
        """The table, and what it was measured with."""
        return f"{table.markdown(self.tabled())}\n\n{textwrap.fill(self.caption(), LONGEST_LINE)}\n"

    def caption(self) -> str:
        """When, on what, with which versions, how long."""
        measured = f"Measured by `make bench` on {self.date} at revision {self.revision or 'unknown'}"
        on = f"on {self.machine['cores']} cores of {self.machine['processor']}, {self.machine['kernel']}"
        used = ", ".join(f"{name} {number}" for name, number in self.versions.items() if number)
        rounds = f"{self.options['rounds']:.0f} rounds, {self.options['seconds']:g} s or {self.options['calls']:.0f} calls each"
        return f"{measured}, {on}: {used}. Medians of {rounds} (least to most); the run took {self.took_seconds / 60:.0f} min."


def today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def save(result: Result, folder: Path = FOLDER) -> Path:
    """Keep it, and show it in the documents. A second run on a day replaces the first."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.date}.json"
    path.write_text(json.dumps(asdict(result), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(result.markdown(), encoding="utf-8")
    return path


def show(result: Result, documents: Sequence[Path] = DOCUMENTS) -> None:
    """Write the table between the marks of each document that has them."""
    for document in documents:
        text = document.read_text(encoding="utf-8")
        document.write_text(BLOCK.sub(lambda _: result.markdown(), text), encoding="utf-8")


def shown_in(document: Path) -> str | None:
    """What stands between a document's marks; None without marks."""
    found = BLOCK.search(document.read_text(encoding="utf-8"))
    return found[0] if found else None


def newest(folder: Path = FOLDER) -> Result | None:
    paths = sorted(folder.glob("*.json"))
    return read(paths[-1]) if paths else None


def read(path: Path) -> Result:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    groups = [Group(one["job"], one["title"], [Row.read(row) for row in one["rows"]]) for one in document["groups"]]
    return Result(**{**document, "groups": groups})
