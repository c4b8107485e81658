"""What is kept of a run, and that documents show nothing else."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import machine, results, table
from benchmarks.jobs import JOBS
from benchmarks.results import BEGIN, END, Group, Result
from benchmarks.rounds import Sample, Spread
from benchmarks.servers import granian, of_dockerfile
from config.environment import PROJECT_ROOT


def sample(per_cpu_second: float, *, calls: int = 100) -> Sample:
    return Sample(calls, seconds=1.0, cpu_seconds=calls / per_cpu_second, extra={})


SLOW = [sample(100), sample(50), sample(200)]
QUICK = [sample(300), sample(200), sample(400)]
ROW = table.row("quick", "A quick way", QUICK, drf=SLOW, beside={"WAL bytes": 2529.0})
RESULT = Result(
    date="2026-11-28",
    revision="0123456789ab",
    versions={"Python": "3.11.7", "Node": ""},
    machine={"processor": "A processor", "cores": "2", "kernel": "Linux 6"},
    options={"rounds": 3, "seconds": 2.0, "calls": 300},
    took_seconds=700.0,
    groups=[Group("who_am_i", "Who am I", [ROW])],
)


def test_a_ratio_is_of_the_same_round_and_the_median_of_all() -> None:
    assert ROW.of_bare_drf == Spread(3.0, 2.0, 4.0)
    assert ROW.per_cpu_second == Spread(pytest.approx(300), pytest.approx(200), pytest.approx(400))  # type: ignore[arg-type]
    assert ROW.calls == 300
    assert ROW.of_bare_view is None


def test_the_table_holds_what_was_measured() -> None:
    cells = table.cells(ROW)
    assert cells[0] == "A quick way"
    assert cells[2].startswith("300 (200")
    assert cells[4].startswith("3.00 (2.00")
    assert cells[-1] == "WAL bytes 2,529"
    assert len(cells) == len(table.HEADER)
    assert "A quick way" in table.text(RESULT.tabled())


def test_a_result_is_read_as_it_was_kept(tmp_path: Path) -> None:
    path = results.save(RESULT, tmp_path)
    assert results.read(path) == RESULT == results.newest(tmp_path)
    assert path.with_suffix(".md").read_text(encoding="utf-8") == RESULT.markdown()


def test_the_newest_is_that_of_the_latest_day(tmp_path: Path) -> None:
    results.save(replace(RESULT, date="2026-12-01"), tmp_path)
    results.save(RESULT, tmp_path)
    found = results.newest(tmp_path)
    assert found is not None
    assert found.date == "2026-12-01"


def test_a_document_shows_the_table_between_its_marks_alone(tmp_path: Path) -> None:
    document = tmp_path / "document.md"
    document.write_text(f"Before.\n\n{BEGIN}\nold\n{END}\n\nAfter.\n", encoding="utf-8")
    results.show(RESULT, [document])
    text = document.read_text(encoding="utf-8")
    assert text.startswith(f"Before.\n\n{BEGIN}\n| what |")
    assert text.endswith(f"{END}\n\nAfter.\n")
    assert "old" not in text
    results.show(RESULT, [document])
    assert document.read_text(encoding="utf-8") == text
    assert results.shown_in(document) == RESULT.markdown()


@pytest.mark.parametrize("document", results.DOCUMENTS, ids=lambda path: path.name)
def test_documents_show_the_newest_result(document: Path) -> None:
    """And no figure as long as there is none."""
    newest = results.newest()
    assert results.shown_in(document) == (newest.markdown() if newest else ""), "make bench writes it"


@pytest.mark.parametrize("name", ["performance.md", "scaling.md"])
def test_the_memory_that_a_text_names_is_that_of_the_newest_result(name: str) -> None:
    newest = results.newest()
    assert newest
    memory = next(row for group in newest.groups if group.job == "memory" for row in group.rows)
    said = (PROJECT_ROOT / "docs" / name).read_text(encoding="utf-8").rpartition(END)[2]  # the table itself left out
    for mark in ("MiB when it is up", "MiB at most"):
        assert f"{memory.beside[mark]:.0f} MiB" in said, f"{name} names another figure than the table: {mark}"


def test_every_result_is_one_of_a_whole_run() -> None:
    """Its figures have names, spreads and versions; and the newest has all jobs."""
    paths = sorted(results.FOLDER.glob("*.json"))
    for path in paths:
        found = results.read(path)
        assert found.date == path.stem
        assert found.versions["PostgreSQL"] and found.versions["Valkey"] and found.versions["wrk"]
        assert path.with_suffix(".md").read_text(encoding="utf-8") == found.markdown()
        for row in (row for group in found.groups for row in group.rows):
            assert row.per_second or row.beside, row.name  # sizes and times of delivery stand beside
        assert json.loads(path.read_text(encoding="utf-8"))["options"]["rounds"] >= 1


def test_the_server_has_the_flags_of_the_image_but_one_worker() -> None:
    flags, variables = of_dockerfile((PROJECT_ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert "--respawn-failed-workers" in flags
    assert variables["GRANIAN_WORKERS"] == "2"
    application = granian("config.wsgi:application", environment={"A": "b"})
    assert application.environment["GRANIAN_WORKERS"] == "1"
    assert application.environment["GRANIAN_BLOCKING_THREADS"] == variables["GRANIAN_BLOCKING_THREADS"]
    same = [flag for flag in flags if flag not in {"0.0.0.0", "8000"}]  # noqa: S104  (the image's address)
    assert [flag for flag in application.command[3:-1] if flag not in {"127.0.0.1", "{port}"}] == same


def test_a_run_across_two_revisions_counts_for_nothing() -> None:
    """Some of its servers would have been of one, some of the other. That a run makes files is no change."""
    machine.refuse_another(machine.revision())
    machine.refuse_another(f"{machine.revision().removesuffix('-dirty')}-dirty")
    with pytest.raises(machine.CheckoutChanged, match="0123456789ab"):
        machine.refuse_another("0123456789ab")


def test_every_job_has_a_title_and_runs() -> None:
    for name, job in JOBS.items():
        assert job.TITLE and callable(job.run), name
