"""CPU time and memory of processes, as the kernel counts them."""

import os
import subprocess
import sys
import time

from benchmarks import accounting

TICK = 1 / accounting.TICKS_A_SECOND
WORKED = 0.3  # seconds of CPU time that each process uses
WORK = f"import time\nwhile time.process_time() < {WORKED}: pass\n"
MIB = 1 << 20
FILLED = f"data = bytearray({64 * MIB})\ndata[::4096] = bytes([1]) * len(data[::4096])"


def started(program: str) -> "subprocess.Popen[bytes]":
    """Running until its standard input is closed."""
    last = "import sys; print('done', flush=True); sys.stdin.read()"
    child = subprocess.Popen(
        [sys.executable, "-c", f"{program}\n{last}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None and child.stdout.readline() == b"done\n"
    return child


def test_the_time_of_a_process_is_what_it_has_used() -> None:
    with started(WORK) as child:
        used = accounting.cpu_seconds(child.pid)
        child.communicate()
    assert used >= WORKED - 2 * TICK
    assert used < WORKED + 1, "no more than Python's own start beside the work"


def test_the_time_of_a_process_that_waits_does_not_grow() -> None:
    with started(WORK) as child:
        before = accounting.cpu_seconds(child.pid)
        time.sleep(0.2)
        assert accounting.cpu_seconds(child.pid) - before <= 2 * TICK
        child.communicate()


def test_children_count_while_they_live_and_when_they_have_ended() -> None:
    ended = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {WORK!r}], check=True)\n"
    with started(ended) as parent:
        assert accounting.cpu_seconds(parent.pid) >= WORKED - 2 * TICK, "of a child that has ended"
        parent.communicate()
    living = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {WORK + 'print(1, flush=True); input()'!r}], "
        "stdin=subprocess.PIPE, stdout=subprocess.PIPE)\nchild.stdout.readline()\n"
    )
    with started(living) as parent:
        assert accounting.cpu_seconds(parent.pid) >= WORKED - 2 * TICK, "of a child that lives"
        assert len(accounting.tree(parent.pid)) == 2
        parent.communicate()


def test_memory_is_that_of_the_largest() -> None:
    with started(FILLED) as child:
        found = accounting.largest_memory(child.pid)
        child.communicate()
    assert 64 * MIB < found.own < found.resident < 64 * MIB + 64 * MIB


def test_a_name_with_spaces_and_brackets_is_read_all_the_same() -> None:
    """The second field of /proc/PID/stat is the program's name in brackets, and may hold any character."""
    with started("import ctypes\nctypes.CDLL(None).prctl(15, b'a) R 1 (b', 0, 0, 0)") as child:
        (found,) = accounting.tree(child.pid)
        child.communicate()
    assert found.parent == os.getpid()


def test_a_process_that_has_gone_has_used_nothing() -> None:
    child = started("")
    child.communicate()
    assert accounting.tree(child.pid) == []
