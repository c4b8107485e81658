"""API keys. Only the key id and a SHA-256 of the key are stored (contract 1.2)."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id
from apps.core.names import NameField
from apps.core.owned import OwnedQuerySet
from apps.customers.models import Customer


class Environment(models.TextChoices):
    LIVE = "live", _("Live")
    TEST = "test", _("Test")


class Scope(models.TextChoices):
    AUTH = "auth"
    TOKENS_INTROSPECT = "tokens:introspect"
    TOKENS_REVOKE = "tokens:revoke"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    INTERNAL = "internal"


def default_scopes() -> list[str]:
    return [Scope.AUTH.value]


class ApiKeyQuerySet(OwnedQuerySet["ApiKey"]):
    """API keys of one customer."""

    def working(self, now: datetime) -> Self:
        """Those that are neither revoked nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


class ApiKey(models.Model):
    """A customer's credential. The key itself is shown once, by `lifecycle.create`, and is nowhere after that."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="api_keys")
    key_id = models.CharField(max_length=12, unique=True, editable=False)
    digest = models.BinaryField(max_length=32, editable=False)
    name = NameField(max_length=200)
    environment = models.CharField(max_length=4, choices=Environment, default=Environment.LIVE)
    scopes = models.JSONField(default=default_scopes)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    replaced_by = models.OneToOneField(
        "self", null=True, editable=False, on_delete=models.SET_NULL, related_name="replaces"
    )

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        verbose_name_plural = "API keys"
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"{self.name} (ghk_{self.environment}_{self.key_id}_…)"
