"""Three web processes, and a client that revokes in every way and asks all three from the moment of the answer (C3.4).

Here with few probes; `make probe` makes more than 100,000.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.state.credentials import KINDS
from tests.state.disturbances import DISTURBANCES

ROOT = Path(__file__).parents[2]
PROBES = 60  # under each disturbance; every kind of change is made undisturbed


@pytest.mark.lengthy
def test_nobody_is_let_in_after_the_answer_whatever_happens_meanwhile() -> None:
    """C3.4: Valkey paused, killed, flushed or restored, listeners cut, a process stopped, PostgreSQL restarted, no worker at all."""
    of_its_own = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    command = [sys.executable, "-m", "tests.state.probe", str(PROBES)]
    ended = subprocess.run(command, cwd=ROOT, env=of_its_own, capture_output=True, text=True, timeout=600, check=False)
    assert ended.stdout, ended.stderr
    report = json.loads(ended.stdout.splitlines()[-1])  # the service's own log lines come before it
    assert report["let_in"] == []
    assert ended.returncode == 0
    assert set(report["by_disturbance"]) == {disturbance.__name__ for disturbance in DISTURBANCES}
    assert all(done["probes"] >= PROBES for done in report["by_disturbance"].values())
    assert report["by_disturbance"]["undisturbed"]["changes"] >= len(KINDS)
