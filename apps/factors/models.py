"""What users have enrolled beyond a password or a code. Secrets are sealed or hashed, never shown again."""

from django.db import models

from apps.core.ids import new_id
from apps.core.names import NameField
from apps.core.owned import OwnedQuerySet, UserOwnedQuerySet
from apps.core.sealed import SealedField
from apps.customers.models import Customer
from apps.users.models import User


class Totp(models.Model):
    """An authenticator app (RFC 6238). Counts once it is confirmed by a first code."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="totp")
    secret = SealedField(blank=True)  # 20 random bytes in base32; empty until a first app is confirmed
    pending_secret = SealedField(blank=True)  # of an app that is still to be confirmed
    pending_version = models.PositiveIntegerField(default=0, db_default=0)  # of the user's credentials, as it was begun
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)  # the time step of the last code accepted: none is taken twice

    objects = UserOwnedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"authenticator app of {self.user_id}"


class Phone(models.Model):
    """A number that codes are sent to by SMS. Counts once it is confirmed by a first code."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="phone_factor")
    number = SealedField(blank=True)  # E.164; empty until a first number is confirmed
    hint = models.CharField(max_length=24, blank=True)  # "+49 … 67": what may be shown
    pending_number = SealedField(blank=True)  # one that is still to be confirmed
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)

    objects = UserOwnedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"phone of {self.user_id}"


class Passkey(models.Model):
    """A WebAuthn credential. The public key and the counter are all that we need to check it (WebAuthn section 4)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="passkeys")
    name = NameField(max_length=100)
    credential_id = models.CharField(max_length=1400)  # base64url; at most 1023 bytes (WebAuthn section 5.1.3)
    public_key = models.BinaryField()  # COSE
    sign_count = models.BigIntegerField(default=0)
    transports = models.JSONField(default=list)
    aaguid = models.CharField(max_length=36, blank=True)
    backed_up = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    suspected_clone_at = models.DateTimeField(null=True)  # its counter did not go up; it is refused since

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("created_at", "id")
        constraints = (models.UniqueConstraint(fields=("customer", "credential_id"), name="passkey_once"),)

    def __str__(self) -> str:
        return self.name


class RecoveryCode(models.Model):
    """One of ten that open an account once each when every other factor is lost."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.BinaryField(max_length=32)  # SHA-256 of user id and code: 80 random bits need no slower hash
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = UserOwnedQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "digest"), name="recovery_code_once"),)

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"
