"""Ways into an account and back into it, each good for one use: registrations, reset tokens, changes of address."""

from django.db import models

from apps.core.ids import new_id
from apps.core.owned import OwnedQuerySet, UserOwnedQuerySet
from apps.core.sealed import SealedField
from apps.customers.models import Customer
from apps.users.models import User


class Registration(models.Model):
    """Password, name and phone number of a registration, until the code that was sent to the address confirms it.

    Kept apart from the user: a stranger who registers somebody else's address must not set a password on that account.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="registrations")
    message_id = models.UUIDField(unique=True)  # the mail that carried the code
    network = models.CharField(max_length=43, blank=True)  # where it came from, as limits count addresses
    encoded = models.CharField(max_length=512)
    name = models.CharField(max_length=200, blank=True)
    phone = SealedField(blank=True)
    credentials_version = models.PositiveIntegerField(default=0, db_default=0)  # of the user, as it was issued
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = UserOwnedQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=("expires_at",), name="registration_expiry"),)

    def __str__(self) -> str:
        return f"registration {self.id}"

    def __repr__(self) -> str:
        return f"<Registration {self.id}>"


class ResetToken(models.Model):
    """A link to set another password, sent to the mailbox: good once, for one hour. Only a digest of the token is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(
        User, null=True, on_delete=models.CASCADE, related_name="+"
    )  # null: nobody has that address
    digest = models.BinaryField(max_length=32, unique=True)  # SHA-256 of 32 random bytes
    in_sandbox = models.BooleanField(default=False, db_default=False)  # the holder of a test key has read it
    credentials_version = models.PositiveIntegerField(default=0, db_default=0)  # of the user, as it was issued
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = OwnedQuerySet.as_manager()

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
    message_id = models.UUIDField(
        unique=True
    )  # the mail that carried the code; of an operator's change, no mail at all
    credentials_version = models.PositiveIntegerField(default=0, db_default=0)  # of the user, as it was issued
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    undo_digest = models.BinaryField(max_length=32, null=True, unique=True)
    undo_until = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        indexes = (
            # By which `accounts.remove_expired` finds those that nobody can undo, and the others.
            models.Index(fields=("expires_at",), name="change_expiry", condition=models.Q(undo_until__isnull=True)),
            models.Index(fields=("undo_until",), name="change_undo", condition=models.Q(undo_until__isnull=False)),
        )

    def __str__(self) -> str:
        return f"change of address {self.id}"
