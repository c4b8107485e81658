"""Customers (tenants), the versions of their signing secrets, and the exceptions each makes to the defaults."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Collate, Lower
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id
from apps.core.names import NameField
from apps.core.owned import OwnedQuerySet
from apps.core.sealed import SealedField
from apps.customers import limits
from apps.customers.policy import DAY, Algorithm, PolicyColumns, between

# Fixed, so that a request without a key needs no look-up to know its customer (contract 1.4).
DEFAULT_CUSTOMER_ID = UUID("01900000-0000-7000-8000-000000000001")

SLUG = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"


class CustomerStatus(models.TextChoices):
    """A customer that is not active is answered 403 on every path (contract 1.8)."""

    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("Suspended")
    DELETING = "deleting", _("Deleting")  # what it owns is going, and it never comes back


class Customer(PolicyColumns):
    """A tenant and its policy (`policy.Policy` has those columns). Change it through `lifecycle`, which tells every process."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.CharField(
        max_length=63, unique=True, validators=[RegexValidator(rf"^{SLUG}$")]
    )  # part of the tokens' issuer: never changes
    name = NameField(max_length=200)
    status = models.CharField(max_length=16, choices=CustomerStatus, default=CustomerStatus.ACTIVE)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    suspended_at = models.DateTimeField(null=True, editable=False)  # null: it is active

    identity_check_secret = SealedField(blank=True)  # signs what is sent to `identity_check_url`, and what comes back
    has_fixed_codes = models.BooleanField(default=False, editable=False)  # kept by otp: most look-ups need not look
    # False until the owner of a customer that signed up has proven an address: until then mails bear our name, not its own.
    owner_is_proven = models.BooleanField(default=True, db_default=True, editable=False)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(Lower("slug"), name="customer_slug_once"),)
        indexes = (models.Index(Collate(Lower("name"), "C"), name="customer_name_begins"),)  # for LIKE 'acme%'

    def __str__(self) -> str:
        return self.name


class CustomerDeletion(models.Model):
    """A customer that is being deleted, or is gone. It stays: the audit trail needs the name, and nobody gets the slug again.

    A slug is part of the issuer that other servers trust. A new customer with it would be taken for the old one.
    """

    id = models.UUIDField(primary_key=True, editable=False)  # the customer's
    slug = models.CharField(max_length=63, unique=True)
    name = NameField(max_length=200)
    asked_by = models.CharField(max_length=200)  # as events name who acts
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    # How far it is: the name of a table → [rows that are gone, rows that there were]. Written with each batch.
    progress = models.JSONField(default=dict)
    waits_for = models.CharField(max_length=64, blank=True)  # what was away when it last went on

    class Meta:
        indexes = (
            models.Index(
                fields=("started_at",), name="deletion_under_way", condition=models.Q(finished_at__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return self.name


class SigningSecret(models.Model):
    """One version of a customer's secrets; its id is the `kid` of the tokens it signs. Only its end can change."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="signing_secrets")
    algorithm = models.CharField(max_length=8, choices=Algorithm)
    # For HS…: 64 random bytes as 128 hex characters. For ES256, EdDSA and RS256: a private key as PEM (PKCS #8).
    access_secret = SealedField()
    refresh_secret = SealedField()
    fingerprint = models.CharField(
        max_length=16
    )  # first 16 hex digits of SHA-256(access + refresh): what operators see
    created_at = models.DateTimeField()
    retires_at = models.DateTimeField(null=True)  # null: current; else it verifies until then
    # Tokens signed under longer lifetimes than the present ones live until then (contract 3.7). Null: there are none.
    signed_until = models.DateTimeField(null=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("customer",), condition=models.Q(retires_at__isnull=True), name="one_current_secret"
            ),
        )

    def __str__(self) -> str:
        return f"secret {self.fingerprint}"


class AllowedNetwork(models.Model):
    """An IPv4 or IPv6 network that may use the customer's API keys. Without any, everybody may.

    Change them through `lifecycle`, which stores networks in one form and tells every process.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="allowed_networks")
    network = models.CharField(max_length=43)  # canonical, as ipaddress.ip_network writes it
    note = NameField(max_length=200, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("network",)
        constraints = (models.UniqueConstraint(fields=("customer", "network"), name="network_once"),)

    def __str__(self) -> str:
        return self.network


def limit_names() -> list[tuple[str, str]]:
    """The limits to choose from. A function, so that a new limit needs no migration."""
    return [(name, name) for name in limits.DEFAULTS]


class LimitOverride(models.Model):
    """An exception this customer makes to one of the limits in `limits.DEFAULTS`. Change it through `lifecycle`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="limit_overrides")
    name = models.CharField(max_length=64, choices=limit_names)
    count = models.PositiveIntegerField(validators=between(1, 10_000_000))
    window = models.PositiveIntegerField(validators=between(0, 31 * DAY))  # seconds; 0: ever

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("customer", "name"), name="override_once"),)

    def __str__(self) -> str:
        return f"{self.name}: {self.count} in {self.window} s"

    def clean(self) -> None:
        """Raises ValidationError for a window that would switch the limit off, or give a window to a limit without one."""
        default = limits.DEFAULTS.get(self.name)
        if default is not None and (default.window == limits.EVER) != (self.window == limits.EVER):
            raise ValidationError({"window": _("Seconds from 1; 0 for what is counted for ever, and only for that.")})
