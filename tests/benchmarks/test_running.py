"""The command itself, at its quickest: it yields a table, and leaves nothing behind."""

import fcntl
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from config import embedded
from config.environment import PROJECT_ROOT

STOPPED_WITHIN_SECONDS = 90  # as long as a busy machine takes to stop engines
QUICK = ("--rounds", "1", "--seconds", "0.05", "--calls", "5")


def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """As from a terminal: tests that run in a shell's background ignore Ctrl-C, and what they start would, too."""
    command = [sys.executable, "-m", "benchmarks", *arguments, "--folder", str(folder)]
    return subprocess.Popen(
        command,
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def of_folder(folder: Path) -> Sequence[str]:
    """Processes that were started for this run: engines work in the folder, servers log into it, wrk reads from it."""
    return [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit() and _uses(entry, folder)]


def _uses(process: Path, folder: Path) -> bool:
    try:
        used = [(process / "cwd").readlink(), *(one.readlink() for one in (process / "fd").iterdir())]
        return str(folder).encode() in (process / "cmdline").read_bytes() or any(folder in one.parents for one in used)
    except OSError:  # it has ended meanwhile
        return False


@pytest.mark.lengthy
def test_a_run_yields_every_step_of_a_sign_in(wrk: str, bench_folder: Path) -> None:
    with start(bench_folder, "code_out_code_in", "--only", "ours", *QUICK) as run:
        printed, errors = run.communicate()
    assert run.returncode == 0, errors
    for step in ("bare DRF", "request-otp", "verify-otp", "refresh", "logout", "code out and in"):
        assert step in printed
    assert "WAL bytes" in printed
    assert "Measured by `make bench`" in printed
    assert of_folder(bench_folder) == []


def test_an_interrupted_run_leaves_no_process(wrk: str, bench_folder: Path) -> None:
    with start(bench_folder, "who_am_i", "--only", "bare_view", "--seconds", "60") as run:
        assert run.stdout is not None
        while "warming up" not in run.stdout.readline():
            assert run.poll() is None
        time.sleep(0.3)  # wrk is at work
        assert len(of_folder(bench_folder)) > 1
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=STOPPED_WITHIN_SECONDS)
    assert run.returncode == 130
    assert of_folder(bench_folder) == []
    assert embedded.status(bench_folder).startswith("No engines run")


def test_a_second_run_in_the_same_folder_is_refused(wrk: str, bench_folder: Path) -> None:
    with (bench_folder / "bench.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with start(bench_folder, "who_am_i") as run:
            _, errors = run.communicate()
    assert run.returncode == 1
    assert "Another run of the benchmarks uses" in errors


def test_a_job_that_is_not_there_is_named(bench_folder: Path) -> None:
    with start(bench_folder, "who_are_you") as run:
        _, errors = run.communicate()
    assert run.returncode == 2
    assert "there is no job who_are_you" in errors
