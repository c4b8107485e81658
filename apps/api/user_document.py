"""A user as clients see it."""

from typing import Any

from rest_framework import serializers

from apps.users.models import User
from apps.users.state import UserState


class UserSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.CharField()
    name = serializers.CharField()
    role = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())
    status = serializers.CharField()
    customer_id = serializers.UUIDField()


def describe_user(user: User | UserState, permissions: tuple[str, ...]) -> dict[str, Any]:
    """A user as clients see it, with its effective permissions."""
    return {
        "id": str(user.id),
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "permissions": list(permissions),
        "status": user.status,
        "customer_id": str(user.customer_id),
    }
