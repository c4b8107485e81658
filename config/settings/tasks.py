"""The tasks of workers: which queue takes each, and when beat sends it."""

from datetime import timedelta
from typing import Any

from kombu import Queue

# A worker takes all queues unless `--queues` names some. Mail, requests to outside services and maintenance have one queue
# each, so that each can have its own workers, and no mail waits behind the others.
QUEUES = tuple(Queue(name, routing_key=name) for name in ("mail", "outside", "maintenance"))
ROUTES = {
    "mail.send": {"queue": "mail"},
    "mail.send_again": {"queue": "mail"},
    "mail.sweep": {"queue": "maintenance"},
    "audit.chain_events": {"queue": "maintenance"},
    "audit.verify": {"queue": "maintenance"},
    "audit.forget_addresses": {"queue": "maintenance"},
    "tokens.remove_expired": {"queue": "maintenance"},
    "signin.remove_expired": {"queue": "maintenance"},
    "oauth.remove_expired": {"queue": "maintenance"},
    "accounts.remove_expired": {"queue": "maintenance"},
    "accounts.delete_customers": {"queue": "maintenance"},
    "signin.tell_locked": {"queue": "maintenance"},
    "signin.watch_networks": {"queue": "maintenance"},
    "files.sweep": {"queue": "maintenance"},
    "approvals.delete_old_documents": {"queue": "maintenance"},
    "approvals.tell_operators": {"queue": "maintenance"},
    "approvals.ask_identity_checks": {"queue": "maintenance"},
    "figures.count": {"queue": "maintenance"},
    "operators.remove_expired": {"queue": "maintenance"},
    "figures.remove_old": {"queue": "maintenance"},
    "alerts.watch": {"queue": "maintenance"},
    "alerts.remove_old": {"queue": "maintenance"},
    "approvals.ask_identity_check": {"queue": "outside"},
}


def every(seconds: float, task: str) -> dict[str, Any]:
    """An entry for beat. A task that still waits when the next one is due is dropped: two would do no more than one."""
    return {"task": task, "schedule": timedelta(seconds=seconds), "options": {"expires": 0.9 * seconds}}


SCHEDULE = {
    "sweep-mail": every(5, "mail.sweep"),
    "chain-audit-events": every(10, "audit.chain_events"),
    "verify-audit-log": every(5, "audit.verify"),
    "forget-refused-addresses": every(600, "audit.forget_addresses"),
    "remove-expired-tokens": every(600, "tokens.remove_expired"),
    "delete-old-documents": every(600, "approvals.delete_old_documents"),
    "sweep-files": every(30, "files.sweep"),
    "ask-identity-checks": every(15, "approvals.ask_identity_checks"),
    "tell-operators": every(60, "approvals.tell_operators"),
    "tell-locked": every(15, "signin.tell_locked"),
    "watch-networks": every(60, "signin.watch_networks"),
    "remove-expired-challenges": every(600, "signin.remove_expired"),
    "remove-expired-codes": every(600, "oauth.remove_expired"),
    "remove-expired-ways-back": every(600, "accounts.remove_expired"),
    "delete-customers": every(5, "accounts.delete_customers"),
    "count-figures": every(30, "figures.count"),
    "remove-old-figures": every(3600, "figures.remove_old"),
    "watch-for-alerts": every(30, "alerts.watch"),
    "remove-old-alerts": every(3600, "alerts.remove_old"),
    "remove-secrets-not-shown": every(60, "operators.remove_expired"),
}
