"""What a user has granted to registered clients."""

from typing import Any

from django.db.models import QuerySet

from apps.core.times import rfc3339_or_none
from apps.oauth.models import AuthorizationCode
from apps.users.models import User


def authorizations_of(user: User) -> QuerySet[AuthorizationCode]:
    return AuthorizationCode.objects.of(user.customer_id).filter(user=user).select_related("client")


def authorization(row: AuthorizationCode) -> dict[str, Any]:
    return {
        "client": row.client.name,
        "scope": row.scope,
        "granted_at": rfc3339_or_none(row.created_at),
        "used_at": rfc3339_or_none(row.used_at),
    }
