"""Customers (tenants), the versions of their signing secrets, and the exceptions each makes to the defaults."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id
from apps.core.names import NameField
from apps.core.owned import OwnedQuerySet
from apps.core.sealed import SealedField
from apps.customers import limits
from apps.customers import validation as valid
from apps.customers.allowed_origins import validate_origins

# Fixed, so that a request without a key needs no look-up to know its customer (contract 1.4).
DEFAULT_CUSTOMER_ID = UUID("01900000-0000-7000-8000-000000000001")

MINUTE, HOUR, DAY = 60, 3600, 86_400


class CustomerStatus(models.TextChoices):
    """Whether the customer is served. A suspended one is answered 403 on every path (contract 1.8)."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class Algorithm(models.TextChoices):
    """What a customer's tokens are signed with; fixes the one algorithm accepted for it (contract 3.2)."""

    HS256 = "HS256", "HS256 (shared secret)"
    HS512 = "HS512", "HS512 (shared secret)"
    ES256 = "ES256", "ES256 (key pair, P-256)"
    EDDSA = "EdDSA", "EdDSA (key pair, Ed25519)"
    RS256 = "RS256", "RS256 (key pair, RSA of 3,072 bits)"


class CodeAlphabet(models.TextChoices):
    """What one-time codes are made of."""

    DIGITS = "digits"
    LETTERS = "letters"  # without look-alikes


class SecondFactorPolicy(models.TextChoices):
    """Whether sign-in asks for a second factor, beyond those that users enrol of their own will (contract 4)."""

    OPTIONAL = "optional"
    REQUIRED = "required"
    BOTH = "both"  # an SMS code and a passkey


def between(low: int, high: int) -> list[MinValueValidator | MaxValueValidator]:
    """Validators that let these numbers pass, and those between them."""
    return [MinValueValidator(low), MaxValueValidator(high)]


class Customer(models.Model):
    """A tenant and its policy. Durations are in seconds. Change it through `lifecycle`, which tells every process."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.CharField(
        max_length=63, unique=True, validators=[RegexValidator(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
    )  # part of the tokens' issuer: never changes
    name = NameField(max_length=200)
    status = models.CharField(max_length=16, choices=CustomerStatus, default=CustomerStatus.ACTIVE)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    algorithm = models.CharField(max_length=8, choices=Algorithm, default=Algorithm.HS256)
    access_lifetime = models.PositiveIntegerField(default=7 * HOUR, validators=between(5 * MINUTE, DAY))
    refresh_lifetime = models.PositiveIntegerField(default=7 * DAY, validators=between(HOUR, 90 * DAY))
    refresh_grace = models.PositiveIntegerField(default=10, validators=between(0, 60))
    # After so long what changes the account's credentials asks for another proof (contract 3.10).
    reauthenticate_after = models.PositiveIntegerField(
        default=10 * MINUTE, db_default=10 * MINUTE, validators=between(MINUTE, DAY)
    )

    code_length = models.PositiveSmallIntegerField(default=6, validators=between(4, 10))
    code_alphabet = models.CharField(max_length=8, choices=CodeAlphabet, default=CodeAlphabet.DIGITS)
    code_lifetime = models.PositiveIntegerField(default=10 * MINUTE, validators=between(MINUTE, HOUR))
    code_resend_after = models.PositiveIntegerField(default=30, validators=between(0, 10 * MINUTE))
    creates_users_on_sign_in = models.BooleanField(default=True)

    allows_registration = models.BooleanField(default=True)
    # What a user must do before its status is active (contract 4, register): both, one, or neither.
    demands_verified_email = models.BooleanField(default=True)
    demands_approval = models.BooleanField(default=False)  # by an operator, or by an outside identity check
    identity_check_url = models.URLField(
        blank=True, validators=[valid.validate_endpoint]
    )  # where the outside identity check is asked for; empty: operators
    identity_check_secret = SealedField(blank=True)  # signs what is sent there and what comes back

    second_factor = models.CharField(max_length=8, choices=SecondFactorPolicy, default=SecondFactorPolicy.OPTIONAL)
    passkey_domain = models.CharField(
        max_length=253, blank=True, validators=[valid.validate_domain]
    )  # WebAuthn's RP ID; empty: site_domain, else PUBLIC_URL
    sessions_per_user = models.PositiveIntegerField(default=20, validators=between(1, 1000))  # the oldest make way
    account_url = models.URLField(
        blank=True, validators=[valid.validate_page]
    )  # where links in mails lead; empty: our own pages under PUBLIC_URL

    daily_sms_quota = models.PositiveIntegerField(default=500)  # in segments: what carriers charge for
    monthly_sms_quota = models.PositiveIntegerField(default=5_000)
    sms_sender = models.CharField(
        max_length=16, blank=True, validators=[valid.validate_sms_sender]
    )  # a number, a short code or an alphanumeric sender id
    sms_regions = models.JSONField(
        default=list, blank=True, validators=[valid.validate_regions]
    )  # ["DE", "AT"]; empty: everywhere

    daily_code_quota = models.PositiveIntegerField(default=10_000)
    monthly_code_quota = models.PositiveIntegerField(default=200_000)
    enforce_allowlist_on_tokens = models.BooleanField(default=False)
    allowed_origins = models.JSONField(
        default=list, blank=True, validators=[validate_origins]
    )  # ["https://app.example.com", …], for browsers
    has_fixed_codes = models.BooleanField(default=False, editable=False)  # kept by otp: most look-ups need not look

    # False until the owner of a customer that signed up has proven an address: till then mails bear our name, not its own.
    owner_is_proven = models.BooleanField(default=True, db_default=True, editable=False)
    sender_name = NameField(max_length=100, blank=True)
    reply_to = models.EmailField(blank=True)
    logo_url = models.URLField(blank=True, validators=[valid.validate_picture])
    colour = models.CharField(max_length=7, blank=True, validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$")])
    site_domain = models.CharField(
        max_length=253, blank=True, validators=[valid.validate_domain]
    )  # binds the code: "@example.com #123456"
    default_locale = models.CharField(max_length=16, default="en", validators=[valid.validate_locale])

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(Lower("slug"), name="customer_slug_once"),)

    def __str__(self) -> str:
        return self.name


class SigningSecret(models.Model):
    """One version of a customer's secrets; its id is the `kid` of the tokens it signs. Never changes but for its end."""

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
    # What it signed under longer lifetimes than the present ones lives until then (contract 3.7). Null: nothing has.
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
    """An IPv4 or IPv6 network that may use the customer's API keys. None at all means everybody may.

    Change them through `lifecycle`, which writes networks in their one form and tells every process.
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
    """The limits to choose from. Called when asked, so that another limit is no change of the schema."""
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
        """Raises ValidationError for a window that would switch the limit off, or make one that has none forget."""
        default = limits.DEFAULTS.get(self.name)
        if default is not None and (default.window == limits.EVER) != (self.window == limits.EVER):
            raise ValidationError({"window": _("Seconds from 1; 0 for what is counted for ever, and only for that.")})
