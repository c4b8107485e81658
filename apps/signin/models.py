"""What sign-in remembers: passwords, and everything of one use that leads into an account or back into it."""

from django.db import models

from apps.core.ids import new_id
from apps.core.sealed import SealedField
from apps.customers.models import Customer
from apps.tokens.models import Delivery
from apps.users.models import User


class Password(models.Model):
    """A user's password: Argon2id, or an imported hash until the next sign-in. Locked by wrong tries (contract 4)."""

    user = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="password")
    encoded = models.CharField(max_length=512)  # as Django's hashers write it
    set_at = models.DateTimeField()
    # As another system made it, of a text that it normalised in its own way; until the next sign-in.
    is_imported = models.BooleanField(default=False, db_default=False)
    # Set by whoever reads the mailbox (reset): then a code sent to that mailbox is no second factor.
    set_by_mail = models.BooleanField(default=False)
    wrong_in_a_row = models.PositiveIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    lock_sandbox_key_id = models.CharField(max_length=12, blank=True)  # the test key it was locked by: it sends nothing
    lock_told_at = models.DateTimeField(null=True)  # when the user was told of the present lock, by mail

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


class Registration(models.Model):
    """What somebody who registered wants to be, until the code sent to that address proves that it was its owner.

    Kept apart from the user, so that a stranger who registers somebody else's address sets no password on it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="registrations")
    message_id = models.UUIDField(unique=True)  # the mail that carried the code
    network = models.CharField(max_length=43, blank=True)  # whence it came, as limits count addresses
    encoded = models.CharField(max_length=512)
    name = models.CharField(max_length=200, blank=True)
    phone = SealedField(blank=True)
    credentials_version = models.PositiveIntegerField(default=0, db_default=0)  # of the user, as it was issued
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("expires_at",), name="registration_expiry"),)

    def __str__(self) -> str:
        return f"registration {self.id}"

    def __repr__(self) -> str:
        return f"<Registration {self.id}>"


class FirstFactor(models.TextChoices):
    """How an account was entered, before any second factor."""

    CODE = "code"
    PASSWORD = "password"  # noqa: S105  (a word, not a secret)
    PASSKEY = "passkey"


class Challenge(models.Model):
    """A first factor that was right and waits for a second. Its id is the `jti` of the `2fa+jwt` (contract 4, login)."""

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

    class Meta:
        indexes = (models.Index(fields=("expires_at",), name="challenge_expiry"),)

    def __str__(self) -> str:
        return f"challenge {self.id}"


class ResetToken(models.Model):
    """A way back into an account, sent to its mailbox: single use, one hour. The token itself is kept nowhere."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(
        User, null=True, on_delete=models.CASCADE, related_name="+"
    )  # null: nobody has that address
    digest = models.BinaryField(max_length=32, unique=True)  # SHA-256 of 32 random bytes
    in_sandbox = models.BooleanField(default=False, db_default=False)  # whoever holds a test key has read it
    credentials_version = models.PositiveIntegerField(default=0, db_default=0)  # of the user, as it was issued
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("expires_at",), name="reset_token_expiry"),)

    def __str__(self) -> str:
        return f"reset token {self.id}"


class EmailChange(models.Model):
    """A new address: confirmed there by a code, announced at the old one, undoable from there for 7 days."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="email_changes")
    old_email = models.CharField(max_length=320)
    new_email = models.CharField(max_length=320)
    message_id = models.UUIDField(unique=True)  # the mail that carried the code
    credentials_version = models.PositiveIntegerField(default=0, db_default=0)  # of the user, as it was issued
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    undo_digest = models.BinaryField(max_length=32, null=True, unique=True)
    undo_until = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            # By which `signin.remove_expired` finds those that nobody can undo, and the others.
            models.Index(fields=("expires_at",), name="change_expiry", condition=models.Q(undo_until__isnull=True)),
            models.Index(fields=("undo_until",), name="change_undo", condition=models.Q(undo_until__isnull=False)),
        )

    def __str__(self) -> str:
        return f"change of address {self.id}"


class CheckState(models.TextChoices):
    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"


class IdentityCheck(models.Model):
    """A user who waits to be approved, by an operator or by an outside identity check, and how that ended."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="identity_check")
    state = models.CharField(max_length=8, choices=CheckState, default=CheckState.WAITING)
    created_at = models.DateTimeField()
    operators_told_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)  # when the outside check took the request
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    answer_signed_at = models.DateTimeField(null=True)  # of the newest answer from outside: none that is older counts
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, blank=True)  # an actor, as in audit events
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("created_at", "id")
        indexes = (
            # The admin's list, and those that wait.
            models.Index(fields=("-state", "created_at", "-id"), name="check_list"),
            models.Index(
                fields=("operators_told_at",), name="check_told", condition=models.Q(operators_told_at__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return f"identity check of {self.user_id}"


class KnownDevice(models.Model):
    """A device that a user has signed in from, by its name: another is worth a mail."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="known_devices")
    name = models.CharField(max_length=100)
    first_seen_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "name"), name="device_once"),)

    def __str__(self) -> str:
        return self.name
