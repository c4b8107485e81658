"""Operators' roles, sessions and second factors, counts of attempts, secrets about to be shown. Sealed or hashed (contract 2.4)."""

from base64 import b32encode
from typing import Any

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device

from apps.core import ciphers, sealed
from apps.core.ids import new_id
from apps.core.sealed import SealedField
from apps.customers.models import Customer
from apps.factors import recovery_codes, totp


class OperatorSession(AbstractBaseSession):
    """Where an operator is signed in. Its key is a digest of what is in the cookie (`sign_in.session_store`)."""

    operator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", null=True)
    begun_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=512, blank=True)

    def __str__(self) -> str:
        return f"{self.begun_at:%Y-%m-%d %H:%M} UTC"


class LinkPurpose(models.TextChoices):
    INVITATION = "invitation"
    FORGOTTEN = "forgotten"


class OperatorLink(models.Model):
    """A link from a mail by which an operator sets a password (`sign_in.links`). Deleted when it is used."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", null=True
    )  # null: nobody has the address
    purpose = models.CharField(max_length=16, choices=LinkPurpose)
    digest = models.BinaryField(max_length=32, unique=True)  # SHA-256 of 32 random bytes
    state_mark = models.BinaryField(max_length=32)  # HMAC-SHA256 of what the operator was then
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("expires_at",), name="operator_link_expired"),)

    def __str__(self) -> str:
        return f"{self.purpose} link {self.id}"


class AuthenticatorApp(Device):
    """An operator's authenticator app (RFC 6238). Counts once a first code has confirmed it."""

    id = models.BigAutoField(primary_key=True)  # django-otp finds devices by number
    seed = SealedField()  # 20 random bytes
    last_step = models.BigIntegerField(default=0)  # the time step of the last accepted code: no step is accepted twice

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    def secret(self) -> str:
        """The seed as apps take it: base32."""
        return b32encode(sealed.read(self, "seed")).decode()

    def verify_token(self, token: str) -> bool:
        """Whether the app shows this code now. Each step is accepted once: one statement decides between any number of tries."""
        step = totp.step_of(token, self.secret(), timezone.now())
        if step is None:
            return False
        return bool(AuthenticatorApp.objects.filter(id=self.id, last_step__lt=step).update(last_step=step) == 1)


class OperatorPasskey(Device):
    """A WebAuthn credential of an operator. The public key and the counter are all that is needed to check it."""

    id = models.BigAutoField(primary_key=True)
    credential_id = models.CharField(max_length=1400, unique=True)  # base64url
    public_key = models.BinaryField()  # COSE
    sign_count = models.BigIntegerField(default=0)
    transports = models.JSONField(default=list)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class UsedChallenge(models.Model):
    """A challenge that a passkey has signed: it is good once. Deleted when it would have expired."""

    digest = models.BinaryField(primary_key=True, max_length=32)  # SHA-256
    expires_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("expires_at",), name="operator_challenge_expired"),)

    def __str__(self) -> str:
        return f"used challenge until {self.expires_at:%Y-%m-%d %H:%M:%S}"


class OperatorIdentity(models.Model):
    """Who an operator is at the OpenID Connect provider: bound at the first sign-in there."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("issuer", "subject"), name="operator_identity_once"),
            models.UniqueConstraint(fields=("operator", "issuer"), name="operator_identity_of_issuer"),
        )

    def __str__(self) -> str:
        return f"identity of operator {self.operator_id} at {self.issuer}"


class RecoveryCodeDevice(Device):
    """All recovery codes of an operator. django-otp treats them as one device."""

    id = models.BigAutoField(primary_key=True)
    digest_key = SealedField()  # 32 random bytes; without the master key nobody can try codes against the digests

    def __str__(self) -> str:
        return f"recovery codes of operator {self.user_id}"

    def digest(self, code: str) -> bytes:
        """What the table keeps of a code."""
        return ciphers.mac(recovery_codes.plain(code).encode(), key=sealed.read(self, "digest_key"))

    def verify_token(self, token: str) -> bool:
        """Whether the code is one of these, and unused until now: one statement decides between any number of tries."""
        unused = self.codes.filter(digest=self.digest(token), used_at=None)
        return bool(unused.update(used_at=timezone.now()) == 1)

    def left(self) -> int:
        """How many are unused."""
        return int(self.codes.filter(used_at=None).count())


class OperatorRecoveryCode(models.Model):
    """One of ten codes, each of which lets an operator in once without the app."""

    id = models.BigAutoField(primary_key=True)
    device = models.ForeignKey(RecoveryCodeDevice, on_delete=models.CASCADE, related_name="codes")
    digest = models.BinaryField(max_length=32)  # HMAC-SHA256
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("device", "digest"), name="operator_recovery_code_once"),)

    def __str__(self) -> str:
        return f"recovery code {self.id}"


class AttemptCount(models.Model):
    """How many attempts were made in a window. After its end the row counts nothing."""

    key = models.BinaryField(primary_key=True, max_length=32)  # HMAC-SHA256 of what is counted: the table keeps no name
    count = models.PositiveIntegerField()
    ends_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("ends_at",), name="operator_attempts_ended"),)

    def __str__(self) -> str:
        return f"{self.count} until {self.ends_at:%Y-%m-%d %H:%M:%S}"


class KeptSecret(models.Model):
    """A new secret on its way to the page that shows it. Taken once, by the session that made it, within minutes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    session_digest = models.BinaryField(max_length=32)  # HMAC-SHA256: the table keeps no session's key
    content = SealedField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("expires_at",), name="kept_secret_expired"),)

    def __str__(self) -> str:
        return f"kept secret {self.id}"


class RoleName(models.TextChoices):
    """What operators are (`team.roles` says what each may do)."""

    ADMINISTRATOR = "administrator", _("Administrator")
    SUPPORT = "support", _("Support")
    AUDITOR = "auditor", _("Auditor")


class OperatorRole(models.Model):
    """What an operator is, and for which customers. Written by `team.roles.assign` alone."""

    operator = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="team_role"
    )
    role = models.CharField(max_length=20, choices=RoleName.choices, blank=True)  # empty: rights given one by one
    # Apart from the list: who is limited to one customer must not see all when that customer is deleted.
    is_limited = models.BooleanField(default=False)
    customers = models.ManyToManyField(Customer, related_name="+", blank=True)

    def __str__(self) -> str:
        return f"{self.role} {self.operator_id}"

    @cached_property
    def customer_ids(self) -> frozenset[Any]:
        """Those that the operator is limited to: read once, and a request reads its operator anew."""
        return frozenset(self.customers.order_by().values_list("pk", flat=True))
