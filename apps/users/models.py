"""End users. The same address under two customers is two users who know nothing of each other."""

from typing import Self
from uuid import UUID

from django.db import models

from apps.core.ids import new_id
from apps.core.sealed import SealedField
from apps.customers.models import Customer


class UserStatus(models.TextChoices):
    PENDING = "pending"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


class Role(models.TextChoices):
    """The built-in roles."""

    ADMIN = "admin"
    COMPANY_USER = "company_user"


class UserQuerySet(models.QuerySet["User"]):
    """Look-ups begin with `of`: whose users?"""

    def of(self, customer_id: UUID) -> Self:
        """The users of this customer."""
        return self.filter(customer_id=customer_id)


class User(models.Model):
    """A person who signs in to one customer's apps."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="users")
    email = models.CharField(max_length=320)  # as typed: where mail goes
    email_identity = models.CharField(max_length=640, editable=False)  # how addresses are compared: `emails.identity`
    email_verified_at = models.DateTimeField(null=True, blank=True)
    name = models.CharField(max_length=200, blank=True)
    phone = SealedField(blank=True)
    locale = models.CharField(max_length=16, blank=True)
    role = models.CharField(max_length=64, default=Role.COMPANY_USER)
    permissions = models.JSONField(default=list, blank=True)
    status = models.CharField(max_length=16, choices=UserStatus, default=UserStatus.ACTIVE)
    created_at = models.DateTimeField()
    last_sign_in_at = models.DateTimeField(null=True, blank=True)
    # In a row, ever; at the customer's limit no code is sent or accepted until somebody clears it (contract 6).
    wrong_codes = models.PositiveIntegerField(default=0)
    is_owner = models.BooleanField(
        default=False, editable=False
    )  # made its customer by signing up (contract 4, signup)
    approved_at = models.DateTimeField(null=True, blank=True)  # by an operator or an identity check

    objects = UserQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (models.UniqueConstraint(fields=("customer", "email_identity"), name="user_email_once"),)
        indexes = (
            models.Index(fields=("email_identity",), name="user_owner", condition=models.Q(is_owner=True)),
            models.Index(fields=("customer", "created_at"), name="user_waiting", condition=models.Q(status="pending")),
        )

    def __str__(self) -> str:
        return self.email
