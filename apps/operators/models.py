"""Operators' second factors, and counts of attempts to sign in. Secrets are sealed or hashed (contract 2.4)."""

from base64 import b32encode

from django.db import models
from django.utils import timezone
from django_otp.models import Device

from apps.core import ciphers, sealed
from apps.core.sealed import SealedField
from apps.factors import recovery_codes, totp


class AuthenticatorApp(Device):
    """An operator's authenticator app (RFC 6238). Counts once a first code has confirmed it."""

    id = models.BigAutoField(primary_key=True)  # django-otp finds devices by number
    seed = SealedField()  # 20 random bytes
    last_step = models.BigIntegerField(default=0)  # the time step of the last accepted code: no step is accepted twice

    def __str__(self) -> str:
        return f"authenticator app of operator {self.user_id}"

    def secret(self) -> str:
        """The seed as apps take it: base32."""
        return b32encode(sealed.read(self, "seed")).decode()

    def verify_token(self, token: str) -> bool:
        """Whether the app shows this code now. Each step is accepted once: one statement decides between any number of tries."""
        step = totp.step_of(token, self.secret(), timezone.now())
        if step is None:
            return False
        return bool(AuthenticatorApp.objects.filter(id=self.id, last_step__lt=step).update(last_step=step) == 1)


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
