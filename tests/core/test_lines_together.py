"""Lines that are written together: each once, in their order, and none lost when the process ends as it should."""

import subprocess
import sys
import threading
from collections.abc import Sequence

import pytest

from apps.core import lines_together
from apps.core.lines_together import LinesTogether
from tests.worker import wait_until

THREADS, EACH = 8, 500

AT_THE_END = """
import multiprocessing, sys
from apps.core.lines_together import LinesTogether

def write(lines):
    sys.stdout.write("".join(lines)); sys.stdout.flush()

def main():
    lines = LinesTogether(write)
    for number in range(3):
        lines.put(f"{number} ")

if __name__ == "__main__":
    START
"""
STARTS = {
    "a process": "main()",
    "a worker of a server": (
        "worker = multiprocessing.get_context('METHOD').Process(target=main); worker.start(); worker.join()"
    ),
}


def test_each_line_is_written_once_and_in_its_order() -> None:
    written: list[tuple[int, int]] = []
    lines = LinesTogether[tuple[int, int]](written.extend)

    def put_all(thread: int) -> None:
        for number in range(EACH):
            lines.put((thread, number))

    threads = [threading.Thread(target=put_all, args=[number]) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: len(written) >= THREADS * EACH)
    for number in range(THREADS):
        assert [line for line in written if line[0] == number] == [(number, line) for line in range(EACH)]


def test_whoever_logs_faster_than_lines_are_written_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits in memory is bounded."""
    monkeypatch.setattr(lines_together, "MOST_WAITING", 10)
    monkeypatch.setattr(lines_together, "WAITS_SECONDS", 3600.0)
    writes: list[int] = []

    def write(lines: Sequence[int]) -> None:
        writes.append(len(lines))

    lines = LinesTogether[int](write)
    for number in range(100):
        lines.put(number)
    assert writes == [11] * 9


def test_lines_that_cannot_be_written_do_not_end_the_writing() -> None:
    written: list[str] = []

    def write(lines: Sequence[str]) -> None:
        if "too much" in lines:
            raise MemoryError
        written.extend(lines)

    lines = LinesTogether[str](write)
    lines.put("too much")
    wait_until(lambda: not lines._waiting)
    lines.put("fine")
    wait_until(lambda: written == ["fine"])


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_none_is_lost_when_the_process_ends(start: str, method: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    script = tmp_path_factory.mktemp("lines") / "served.py"
    script.write_text(AT_THE_END.replace("START", start.replace("METHOD", method)))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, env={"PYTHONPATH": "."})
    assert done.stdout == "0 1 2 "
