"""Queues and periodic tasks: nothing is without a queue, every queue has workers, and no periodic task piles up."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from apps.core import advisory_locks
from config.celery import app

ROOT = Path(settings.BASE_DIR)
QUEUES = {queue.name for queue in settings.CELERY_TASK_QUEUES}


def our_tasks() -> dict[str, Any]:
    app.loader.import_default_modules()
    return {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}


def test_every_task_is_sent_to_a_queue_that_somebody_chose_for_it() -> None:
    """C7: a busy hour of maintenance starves no mail. A task without a line in CELERY_TASK_ROUTES fails here."""
    assert set(settings.CELERY_TASK_ROUTES) == set(our_tasks())
    assert {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()} == QUEUES


def test_what_is_sent_to_each_queue() -> None:
    def sent_to(queue: str) -> set[str]:
        return {name for name, route in settings.CELERY_TASK_ROUTES.items() if route["queue"] == queue}

    assert sent_to("mail") == {"mail.send", "mail.send_again"}
    assert sent_to("outside") == {"approvals.ask_identity_check"}


@pytest.mark.parametrize("name", sorted(settings.CELERY_BEAT_SCHEDULE))
def test_a_periodic_task_is_dropped_before_its_next_run_is_due_and_never_overlaps_itself(name: str) -> None:
    entry = settings.CELERY_BEAT_SCHEDULE[name]
    assert 0 < entry["options"]["expires"] < entry["schedule"].total_seconds()
    run = our_tasks()[entry["task"]].run
    assert run.__code__ is advisory_locks.alone(lambda: 0).__code__, f"{entry['task']} is not decorated with `alone`"


def test_every_queue_has_a_worker_wherever_gatehouse_is_started() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    commands = [service["command"] for service in services.values() if "worker" in service.get("command", ())]
    taken = [command[command.index("--queues") + 1] for command in commands]
    assert sorted(taken) == sorted(QUEUES)
    for path in ("Makefile", "demo/__main__.py"):
        text = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(r"celery.*worker", text)
        assert not re.search(r"--queues|-Q\b|exclude-queues", text), "without a word a worker takes them all"
