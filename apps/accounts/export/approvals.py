"""Whether the user was approved."""

from typing import Any

from apps.approvals.models import IdentityCheck
from apps.core.times import rfc3339_or_none


def identity_check(row: IdentityCheck) -> dict[str, Any]:
    """Without the name of the operator who decided: it is not the user's data."""
    return {
        "state": row.state,
        "reason": row.reason,
        "created_at": rfc3339_or_none(row.created_at),
        "decided_at": rfc3339_or_none(row.decided_at),
    }
