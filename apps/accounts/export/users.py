"""The account itself: the user's own row."""

from typing import Any

from apps.core.times import rfc3339_or_none
from apps.users import state
from apps.users.models import User


def account(user: User) -> dict[str, Any]:
    """All that the row says but for secrets, and the permissions as they are now."""
    now = state.of(user)
    return {
        "id": str(user.id),
        "customer_id": str(user.customer_id),
        "email": user.email,
        "email_verified_at": rfc3339_or_none(user.email_verified_at),
        "name": user.name,
        "phone": now.phone(),
        "locale": user.locale,
        "role": user.role,
        "permissions": list(now.permissions),
        "permissions_of_its_own": list(user.permissions),
        "status": user.status,
        "created_at": rfc3339_or_none(user.created_at),
        "approved_at": rfc3339_or_none(user.approved_at),
        "last_sign_in_at": rfc3339_or_none(user.last_sign_in_at),
        "wrong_codes": user.wrong_codes,
        "wrong_second_factors": user.wrong_second_factors,
        "is_owner": user.is_owner,
    }
