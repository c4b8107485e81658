"""End users. The same address under two customers is two users who know nothing of each other."""

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id
from apps.core.names import NameField
from apps.core.owned import OwnedQuerySet
from apps.core.sealed import SealedField
from apps.customers.models import Customer
from apps.customers.validation import validate_language_tag

ROLE_NAME = r"[a-z][a-z0-9_]{0,63}"
PERMISSION_NAME = r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*"


class UserStatus(models.TextChoices):
    PENDING = "pending", _("Pending")
    ACTIVE = "active", _("Active")
    DEACTIVATED = "deactivated", _("Deactivated")


class BuiltInRole(models.TextChoices):
    """The roles that every customer has without a row (a row of that name may give them permissions)."""

    ADMIN = "admin"
    COMPANY_USER = "company_user"


class User(models.Model):
    """A person who signs in to one customer's apps.

    Each sign-in changes the row. What it notes is in no index, and pages keep some room for it (migration 0002).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Found by the index `user_customer`.
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="users", db_index=False)
    email = models.CharField(max_length=320)  # as typed; mail goes there
    email_identity = models.CharField(max_length=640, editable=False)  # how addresses are compared: `emails.identity`
    email_verified_at = models.DateTimeField(null=True, blank=True)
    name = NameField(max_length=200, blank=True)
    phone = SealedField(blank=True)
    locale = models.CharField(max_length=16, blank=True, validators=[validate_language_tag])
    role = models.CharField(max_length=64, default=BuiltInRole.COMPANY_USER)
    permissions = models.JSONField(default=list, blank=True)  # in addition to those of the role
    status = models.CharField(max_length=16, choices=UserStatus, default=UserStatus.ACTIVE)
    created_at = models.DateTimeField()
    last_sign_in_at = models.DateTimeField(null=True, blank=True)
    # Wrong codes since the last sign-in, without a time limit. At the customer's limit no code is sent or accepted until
    # another kind of sign-in, a new password or an operator sets this to 0 (contract 6).
    wrong_codes = models.PositiveIntegerField(default=0)
    # The same after a right first factor. Counted apart, so that no stranger can lock somebody's second factor.
    wrong_second_factors = models.PositiveIntegerField(default=0, db_default=0)
    is_owner = models.BooleanField(
        default=False, editable=False
    )  # made its customer by signing up (contract 4, signup)
    approved_at = models.DateTimeField(null=True, blank=True)  # by an operator or an identity check
    # Links, codes, challenges and waiting sign-ins count only if they were issued under this version (`credentials.change`).
    credentials_version = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    credentials_changed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        permissions = (("help_user", "Can send codes to users and clear their locks"),)
        constraints = (models.UniqueConstraint(fields=("customer", "email_identity"), name="user_email_once"),)
        indexes = (
            models.Index(fields=("email_identity",), name="user_owner", condition=models.Q(is_owner=True)),
            # At any customer, for operators: the whole address, or how it begins.
            models.Index(fields=("email_identity",), name="user_address", opclasses=("text_pattern_ops",)),
            models.Index(fields=("customer", "created_at"), name="user_waiting", condition=models.Q(status="pending")),
            # For operators' lists, the newest first: of a customer; and of what few users are, since most are found at once.
            models.Index(fields=("customer", "-id"), name="user_customer"),
            models.Index(fields=("status", "-id"), name="user_status", condition=~models.Q(status="active")),
            models.Index(fields=("role", "-id"), name="user_role", condition=~models.Q(role="company_user")),
        )

    def __str__(self) -> str:
        return self.email


class Role(models.Model):
    """A role of one customer: a name that users have, and the permissions it gives. Change it through `roles`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="roles")
    name = models.CharField(max_length=64, validators=[RegexValidator(rf"\A{ROLE_NAME}\Z")])  # never changes
    permissions = models.JSONField(default=list, blank=True)
    description = NameField(max_length=200, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("customer", "name"), name="role_once"),)
        indexes = (
            models.Index(fields=("name", "-id"), name="role_name"),
            models.Index(fields=("name",), name="role_begins", opclasses=("text_pattern_ops",)),
        )

    def __str__(self) -> str:
        return self.name


class Permission(models.Model):
    """A permission that roles and users of one customer may hold. The customer's apps decide what it means."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="permissions")
    name = models.CharField(
        max_length=64, validators=[RegexValidator(rf"\A{PERMISSION_NAME}\Z")]
    )  # "invoices.read"; never changes
    description = NameField(max_length=200, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("customer", "name"), name="permission_once"),)
        indexes = (
            models.Index(fields=("name", "-id"), name="permission_name"),
            models.Index(fields=("name",), name="permission_begins", opclasses=("text_pattern_ops",)),
        )

    def __str__(self) -> str:
        return self.name
