"""What sign-in remembers: passwords, challenges of one use, the devices that users have signed in from, and those that are
not asked for a second factor."""

from django.db import models

from apps.core.ids import new_id
from apps.core.owned import OwnedQuerySet, UserOwnedQuerySet
from apps.customers.models import Customer
from apps.tokens.models import Delivery
from apps.users.models import User


class Password(models.Model):
    """A user's password: Argon2id, or an imported hash until the next sign-in. Locked by wrong tries (contract 4)."""

    user = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="password")
    encoded = models.CharField(max_length=512)  # as Django's hashers write it
    set_at = models.DateTimeField()
    # Made by another system, which normalised the text in its own way; until the next sign-in.
    is_imported = models.BooleanField(default=False, db_default=False)
    # Set by a link in a mail (reset): then a code sent to that mailbox is no second factor.
    set_by_mail = models.BooleanField(default=False)
    wrong_in_a_row = models.PositiveIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    lock_sandbox_key_id = models.CharField(max_length=12, blank=True)  # the test key it was locked by: it sends nothing
    lock_told_at = models.DateTimeField(null=True)  # when the user was told of the present lock, by mail

    objects = UserOwnedQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(
                fields=("locked_until",),
                name="password_lock_untold",
                condition=models.Q(locked_until__isnull=False, lock_told_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"password of {self.user_id}"

    def __repr__(self) -> str:
        return f"<Password {self.user_id}>"


class FirstFactor(models.TextChoices):
    """How an account was entered, before any second factor."""

    CODE = "code"
    PASSWORD = "password"  # noqa: S105  (a word, not a secret)
    PASSKEY = "passkey"


class Challenge(models.Model):
    """A sign-in that waits for a second factor. Its id is the `jti` of the `2fa+jwt` (contract 4, login)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    first_factor = models.CharField(max_length=8, choices=FirstFactor)
    may_use_email = models.BooleanField(default=False)  # a code by email may be the second factor
    passed = models.JSONField(default=list)  # second factors given already, where a customer demands two
    delivery = models.CharField(max_length=8, choices=Delivery)
    is_new = models.BooleanField(default=False)  # what the token answer will say of the user
    wrong = models.PositiveSmallIntegerField(default=0)
    credentials_version = models.PositiveIntegerField(default=0, db_default=0)  # of the user, as it was issued
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=("expires_at",), name="challenge_expiry"),)

    def __str__(self) -> str:
        return f"challenge {self.id}"


class KnownDevice(models.Model):
    """A device that a user has signed in from, by its name. The user is told of another one by mail."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="known_devices")
    name = models.CharField(max_length=100)
    first_seen_at = models.DateTimeField()

    objects = UserOwnedQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "name"), name="device_once"),)

    def __str__(self) -> str:
        return self.name


class KnownCountry(models.Model):
    """A country that a user has signed in from. Kept only where there is a database of countries (GEOIP_DATABASE)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="known_countries")
    country = models.CharField(max_length=2)  # ISO 3166
    first_seen_at = models.DateTimeField()

    objects = UserOwnedQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "country"), name="country_once"),)

    def __str__(self) -> str:
        return self.country


class RememberedDevice(models.Model):
    """A browser that is not asked for the second factor again for some days. It has the secret; only its digest is here.

    Good for one state of the account: any change of credentials, of the set of factors, or of the customer's secrets ends it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="remembered_devices")
    name = models.CharField(max_length=100)
    digest = models.BinaryField(max_length=32)  # SHA-256 of 32 random bytes
    passed = models.JSONField()  # the second factors that were given then
    factor_set = models.BinaryField(max_length=32)
    credentials_version = models.PositiveIntegerField()
    signing_kid = models.UUIDField()  # the customer's secrets then: an emergency rotation ends the device, too
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    objects = UserOwnedQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (models.Index(fields=("expires_at",), name="remembered_expiry"),)

    def __str__(self) -> str:
        return self.name
