"""A pytest plugin (`-p tests.collecting`) that makes it cheap to have thousands of tests.

The applications, the test modules and the collected tests are some millions of objects, and each full search for garbage looks at
all of them: a quarter of the CPU of the collecting, and a fifth of that of most tests (measured on sign-up and recovery).

After a change of many files, as in a fresh clone, half of the CPU of the collecting is the rewriting of their assertions, whose
result pytest keeps. Workers that all read the same files at the same time would all do the whole of it; so each begins elsewhere.
"""

import gc
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest

NEW_OBJECTS = 10_000  # as in config/web_process.py

gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    worker = getattr(session.config, "workerinput", None)  # of pytest-xdist
    if worker is None or session.config.option.file_or_dir:
        return
    files = sorted((session.config.rootpath / "tests").rglob("test_*.py"))
    for path in files[int(worker["workerid"][2:]) :: worker["workercount"]]:
        with suppress(Exception, pytest.skip.Exception):  # pytest will say it when it comes to this file
            import_module(_dotted(path.relative_to(session.config.rootpath)))


def _dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is there now stays. From here on a search looks at what tests have made."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 10, 10)
    gc.enable()
