"""A process that starts warm is as good as one of `python …`: it has nothing of ours before it begins, and ends as any other."""

import os
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests import warm

ENVIRONMENT = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "ONE": "1"}
LOADED = """
import sys
from django.conf import settings
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("apps", "config", "demo")), settings.configured)
"""


def test_it_begins_with_libraries_alone_and_with_its_own_environment(tmp_path: Path) -> None:
    (tmp_path / "settings_of_its_own.py").write_text("SECRET_KEY = 'a key'")
    assert warm.run(["-c", LOADED], environment=ENVIRONMENT).stdout == "[] False\n"
    own = {**ENVIRONMENT, "DJANGO_SETTINGS_MODULE": "settings_of_its_own"}
    script = (
        "import os, sys; from django.conf import settings; print(sorted(os.environ), settings.SECRET_KEY, sys.argv)"
    )
    done = warm.run(["-c", script, "and more"], environment=own, cwd=tmp_path)
    assert done.stdout == f"{sorted(own)} a key ['-c', 'and more']\n"
    assert done.stderr == ""


def test_it_ends_as_any_other_process(tmp_path: Path) -> None:
    failing = warm.run(["-c", "import atexit; atexit.register(print, 'the end'); 1 / 0"], environment=ENVIRONMENT)
    assert (failing.returncode, failing.stdout) == (1, "the end\n")
    assert failing.stderr.endswith("ZeroDivisionError: division by zero\n")
    (tmp_path / "script.py").write_text("import sys; sys.exit(len(sys.argv))")
    assert warm.run([str(tmp_path / "script.py"), "a", "b"], environment=ENVIRONMENT).returncode == 3
    assert warm.run(["-m", "json.tool", "/nowhere"], environment=ENVIRONMENT).returncode not in (0, None)


def test_it_can_be_waited_for_and_killed() -> None:
    with tempfile.TemporaryFile() as output:
        idle = [
            warm.Process(["-c", "import signal; signal.pause()"], environment=ENVIRONMENT, output=output)
            for _ in range(2)
        ]
        for process, end, number in zip(idle, ("terminate", "kill"), (signal.SIGTERM, signal.SIGKILL), strict=True):
            assert process.poll() is None
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=0.01)
            getattr(process, end)()
            assert process.wait(timeout=60) == -number == process.poll()
            process.kill()  # does nothing
