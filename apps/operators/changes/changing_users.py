"""Changing a user on an operator's behalf, with what follows from a new role."""

from collections.abc import Mapping
from typing import Any

from apps.core.context import RequestContext
from apps.tokens import sessions
from apps.users import lifecycle
from apps.users.models import BuiltInRole, User


def change(user: User, changes: Mapping[str, Any], context: RequestContext) -> None:
    """Who becomes an administrator loses the sessions that test keys began. Raises what `lifecycle.change` does."""
    lifecycle.change(user, changes=changes, context=context)
    if changes.get("role") == BuiltInRole.ADMIN:
        sessions.end_begun_by_test_keys(customer_id=user.customer_id, user_id=user.id, context=context)
