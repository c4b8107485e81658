"""The service's own key pairs, to which browsers and mobile apps encrypt before sign-in (contract 2.1)."""

from django.db import models

from apps.core.ids import new_id
from apps.core.sealed import SealedField


class ServiceKeyPair(models.Model):
    """A P-256 key pair for ECDH-ES. The newest is published first; retired ones decrypt until `retires_at`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kid = models.CharField(max_length=43, unique=True)  # RFC 7638 thumbprint
    public_jwk = models.JSONField()
    private_jwk = SealedField()
    created_at = models.DateTimeField()
    retires_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "service key pair"
        verbose_name_plural = "service key pairs"
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(retires_at__isnull=True), name="one_current_service_key"
            ),
        )

    def __str__(self) -> str:
        return f"service key {self.kid}"
