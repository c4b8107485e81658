"""What a process that runs tasks does otherwise than Celery has it do."""

from typing import Any

from celery import signals

from apps.core.database_connections import let_go_if_used


def keep_connections() -> None:
    """After each task the connection to PostgreSQL is let go of as after a request: kept, and checked before its next use.

    Celery closes it before and after each task, unless CELERY_DB_REUSE_MAX is set; then it checks nothing. A new connection for each
    mail took more than half of its CPU time: 3 ms of the worker's, and 9 ms of PostgreSQL's for a new process.
    """
    signals.task_postrun.connect(_let_go, dispatch_uid="let_go_of_connections")


def _let_go(**_: Any) -> None:
    let_go_if_used()
