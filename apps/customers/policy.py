"""A customer's policy: what operators may set. Each field is declared here once, and nowhere else.

From this follow the columns of `Customer`, the values of `CustomerState`, and the fields of the operators' page. A new field
is a new line in `Policy`, and its migration. Durations are in seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.names import NameField
from apps.customers import validation as valid
from apps.customers.allowed_origins import validate_origins

MINUTE, HOUR, DAY = 60, 3600, 86_400
KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40


class Group(StrEnum):
    """The groups of the operators' page, in their order."""

    SECRETS = "Secrets"
    TOKENS = "Tokens and sessions"
    CODES = "Codes"
    ACCOUNTS = "Accounts"
    SECOND_FACTORS = "Second factors"
    SMS = "SMS"
    FILES = "Files"
    QUOTAS = "Quotas"
    ORIGINS = "Origins"
    ALLOWLIST = "IP allowlist"
    MAIL = "Mail"


class Algorithm(models.TextChoices):
    """What a customer's tokens are signed with; fixes the one algorithm accepted for it (contract 3.2)."""

    HS256 = "HS256", _("HS256 (shared secret)")
    HS512 = "HS512", _("HS512 (shared secret)")
    ES256 = "ES256", _("ES256 (key pair, P-256)")
    EDDSA = "EdDSA", _("EdDSA (key pair, Ed25519)")
    RS256 = "RS256", _("RS256 (key pair, RSA of 3,072 bits)")


class CodeAlphabet(models.TextChoices):
    """What one-time codes are made of."""

    DIGITS = "digits", _("Digits")
    LETTERS = "letters", _("Letters")  # without look-alikes


class SecondFactorPolicy(models.TextChoices):
    """Whether sign-in asks for a second factor, beyond those that users enrol of their own will (contract 4)."""

    OPTIONAL = "optional", _("Optional")
    REQUIRED = "required", _("Required")
    BOTH = "both", _("Both")  # an SMS code and a passkey


def setting(column: "models.Field[Any, Any]", group: Group) -> Any:
    """A field of the policy: its column, and its group on the operators' page. What people read of it: `policy_texts`."""
    return field(metadata={"column": column, "group": group})


def between(low: int, high: int) -> list[MinValueValidator | MaxValueValidator]:
    """Validators that accept these numbers and those between them."""
    return [MinValueValidator(low), MaxValueValidator(high)]


def seconds(default: int, low: int, high: int) -> "models.PositiveIntegerField[Any, Any]":
    return models.PositiveIntegerField(default=default, validators=between(low, high))


def bytes_(default: int, low: int, high: int) -> "models.PositiveBigIntegerField[Any, Any]":
    return models.PositiveBigIntegerField(default=default, db_default=default, validators=between(low, high))


def text(length: int, *, validators: Sequence[Any]) -> "models.CharField[Any, Any]":
    """A text that may be empty."""
    return models.CharField(max_length=length, blank=True, validators=validators)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The values of a customer's policy."""

    algorithm: str = setting(
        models.CharField(max_length=8, choices=Algorithm, default=Algorithm.HS256),
        Group.SECRETS,
    )

    access_lifetime: int = setting(
        seconds(7 * HOUR, 5 * MINUTE, DAY),
        Group.TOKENS,
    )
    refresh_lifetime: int = setting(
        seconds(7 * DAY, HOUR, 90 * DAY),
        Group.TOKENS,
    )
    refresh_grace: int = setting(
        seconds(10, 0, 60),
        Group.TOKENS,
    )
    # Changing the account's credentials after that asks for another proof (contract 3.10).
    reauthenticate_after: int = setting(
        models.PositiveIntegerField(default=10 * MINUTE, db_default=10 * MINUTE, validators=between(MINUTE, DAY)),
        Group.TOKENS,
    )
    sessions_per_user: int = setting(
        models.PositiveIntegerField(default=20, validators=between(1, 1000)),
        Group.TOKENS,
    )

    code_length: int = setting(models.PositiveSmallIntegerField(default=6, validators=between(4, 10)), Group.CODES)
    code_alphabet: str = setting(
        models.CharField(max_length=8, choices=CodeAlphabet, default=CodeAlphabet.DIGITS), Group.CODES
    )
    code_lifetime: int = setting(seconds(10 * MINUTE, MINUTE, HOUR), Group.CODES)
    code_resend_after: int = setting(seconds(30, 0, 10 * MINUTE), Group.CODES)
    creates_users_on_sign_in: bool = setting(models.BooleanField(default=True), Group.CODES)

    allows_registration: bool = setting(
        models.BooleanField(default=True),
        Group.ACCOUNTS,
    )
    # What a user must do before its status is active (contract 4, register): both, one, or neither.
    demands_verified_email: bool = setting(
        models.BooleanField(default=True),
        Group.ACCOUNTS,
    )
    demands_approval: bool = setting(
        models.BooleanField(default=False),
        Group.ACCOUNTS,
    )
    identity_check_url: str = setting(
        models.URLField(blank=True, validators=[valid.validate_endpoint]),
        Group.ACCOUNTS,
    )
    account_url: str = setting(
        models.URLField(blank=True, validators=[valid.validate_page]),
        Group.ACCOUNTS,
    )

    second_factor: str = setting(
        models.CharField(max_length=8, choices=SecondFactorPolicy, default=SecondFactorPolicy.OPTIONAL),
        Group.SECOND_FACTORS,
    )
    passkey_domain: str = setting(
        text(253, validators=[valid.validate_domain]),
        Group.SECOND_FACTORS,
    )

    remember_device_days: int = setting(
        models.PositiveSmallIntegerField(default=0, db_default=0, validators=[MaxValueValidator(365)]),
        Group.SECOND_FACTORS,
    )

    sms_sender: str = setting(
        text(16, validators=[valid.validate_sms_sender]),
        Group.SMS,
    )
    sms_regions: Sequence[str] = setting(
        models.JSONField(default=list, blank=True, validators=[valid.validate_regions]),
        Group.SMS,
    )
    daily_sms_quota: int = setting(models.PositiveIntegerField(default=500), Group.SMS)
    monthly_sms_quota: int = setting(models.PositiveIntegerField(default=5_000), Group.SMS)

    largest_file_bytes: int = setting(bytes_(25 * MIB, KIB, 5 * GIB), Group.FILES)
    total_file_bytes: int = setting(bytes_(GIB, 0, 100 * TIB), Group.FILES)
    file_types: Sequence[str] = setting(
        models.JSONField(default=valid.usual_file_types, blank=True, validators=[valid.validate_file_types]),
        Group.FILES,
    )

    daily_code_quota: int = setting(models.PositiveIntegerField(default=10_000), Group.QUOTAS)
    monthly_code_quota: int = setting(models.PositiveIntegerField(default=200_000), Group.QUOTAS)

    enforce_allowlist_on_tokens: bool = setting(
        models.BooleanField(default=False),
        Group.ALLOWLIST,
    )
    allowed_origins: Sequence[str] = setting(
        models.JSONField(default=list, blank=True, validators=[validate_origins]),
        Group.ORIGINS,
    )

    sender_name: str = setting(NameField(max_length=100, blank=True), Group.MAIL)
    reply_to: str = setting(models.EmailField(blank=True), Group.MAIL)
    logo_url: str = setting(
        models.URLField(blank=True, validators=[valid.validate_picture]),
        Group.MAIL,
    )
    colour: str = setting(text(7, validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$")]), Group.MAIL)
    site_domain: str = setting(
        text(253, validators=[valid.validate_domain]),
        Group.MAIL,
    )
    default_locale: str = setting(
        models.CharField(max_length=16, default="en", validators=[valid.validate_locale]),
        Group.MAIL,
    )


def names(policy: type[Policy] = Policy) -> tuple[str, ...]:
    return tuple(each.name for each in fields(policy))


def columns(policy: type[Policy] = Policy) -> "dict[str, models.Field[Any, Any]]":
    """The column of each field."""
    return {each.name: each.metadata["column"] for each in fields(policy)}


def groups(policy: type[Policy] = Policy) -> dict[Group, tuple[str, ...]]:
    """The fields of each group."""
    return {group: tuple(each.name for each in fields(policy) if each.metadata["group"] is group) for group in Group}


def lists(policy: type[Policy] = Policy) -> tuple[str, ...]:
    """The fields that are lists."""
    return tuple(name for name, column in columns(policy).items() if isinstance(column, models.JSONField))


NAMES, LISTS = names(), lists()

if TYPE_CHECKING:

    class PolicyColumns(models.Model, Policy):
        """The policy as columns. Its types are those of `Policy`; Django makes the rest."""

        class Meta:
            abstract = True

else:
    PolicyColumns = type(
        "PolicyColumns",
        (models.Model,),
        {**columns(), "__module__": __name__, "Meta": type("Meta", (), {"abstract": True})},
    )
