"""What Valkey could not be told yet."""

from django.db import models


class PendingInvalidation(models.Model):
    """A snapshot that changed while Valkey was out of reach; `core.retry_invalidations` tells it until it is told."""

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.key
