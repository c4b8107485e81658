"""These tests need no world of customers and users: their applications have databases of their own, in a folder of their own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import embedded

HOW = "wrk was not found (Debian: apt install wrk)"


@pytest.fixture
def wrk() -> str:
    """Where it is. Skips the test, or fails it under CI, when it is nowhere."""
    found = shutil.which("wrk")
    if found is None and os.environ.get("CI"):
        pytest.fail(HOW)
    return found or pytest.skip(HOW)


@pytest.fixture
def bench_folder() -> Iterator[Path]:
    """Where a run of the benchmarks keeps its engines' data."""
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-tests-bench-"))
    folder.chmod(0o755)
    yield folder
    embedded.discard(folder)
