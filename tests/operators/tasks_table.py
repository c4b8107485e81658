"""The table of docs/operators/tasks.md: what twelve frequent tasks cost, and what they cost before."""

from dataclasses import dataclass
from pathlib import Path

HEAD = """# What twelve frequent tasks cost

Each begins at the overview, signed in, with the second factor given within ten minutes. A click is a press of the
mouse: into a field, on a link, on a button; choosing from a list is two. Keys are those typed. Seconds are those
that an operator waits for pages: from each click until the page is there, in Chromium on a busy machine of two
cores, without the time that typing and reading take. Tests do these tasks in a real browser, and fail when one
takes more clicks (`tests/operators/test_twelve_tasks.py`). The table is written by

    TASKS_TABLE=docs/operators pytest tests/operators/test_twelve_tasks.py -n 0

Before: clicks of the version of 28 November 2026, 12:55, counted by hand along its pages.

| task | clicks before | clicks now | keys now | seconds now | what was in the way |
|---|---|---|---|---|---|
"""


@dataclass
class Task:
    """`clicks`: the most that it may take. `measured`: clicks, keys, seconds."""

    before: str
    clicks: int
    why: str
    measured: tuple[int, int, float] | None = None

    def cells(self) -> tuple[str, str, str]:
        if self.measured is None:
            return "-", "-", "-"
        clicks, keys, seconds = self.measured
        return str(clicks), str(keys), f"{seconds:.1f}"


TABLE = {
    "create a customer and its first key": Task(
        "11", 4, "a form of 4,364 pixels, then another for the key with a choice of all customers"
    ),
    "allow a network": Task("5", 4, "one's own address was looked up elsewhere, and typed"),
    "rotate secrets in both forms": Task(
        "6", 7, "neither said in numbers what it does; now they stand on a tab of their own"
    ),
    "suspend and resume a customer": Task("6", 7, "as above"),
    "approve ten users": Task("40", 6, "each alone, and back to the list each time"),
    "find why a user was refused": Task("no answer", 2, "refusals were in no list"),
    "end a user's sessions": Task("8", 3, "searched in the list of all sessions, and chosen there"),
    "send a mail again": Task("4", 4, "the same way; a user's page leads there, too"),
    "export a month of audit": Task("not in the admin", 5, "by the API alone, with a customer's token"),
    "limit a colleague to a customer": Task(
        "not possible", 6, "160 permissions to choose from, and every customer's rows"
    ),
    "reset a colleague's lost factor": Task("not in the admin", 5, "rows were deleted in the database by hand"),
    "see the nearest quota": Task("9", 0, "300 customers were read page by page; the list could not be sorted by it"),
}


def written(folder: Path) -> None:
    """The page, with all that has been measured so far in this run."""
    lines = [f"| {name} | {task.before} | {' | '.join(task.cells())} | {task.why} |" for name, task in TABLE.items()]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tasks.md").write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
