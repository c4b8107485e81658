"""Codes live in Valkey alone; the only rows are the fixed codes that a customer lists for app-store reviewers."""

from django.db import models

from apps.core.ids import new_id
from apps.core.owned import OwnedQuerySet
from apps.core.sealed import SealedField
from apps.customers.models import Customer


class FixedCode(models.Model):
    """An address whose code is the same until a date (contract 1.7). Never honoured for a user with the role admin."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="fixed_codes")
    email = models.CharField(max_length=320)
    email_identity = models.CharField(max_length=640, editable=False)
    code = SealedField()
    valid_until = models.DateTimeField()
    created_at = models.DateTimeField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering = ("email",)
        constraints = (models.UniqueConstraint(fields=("customer", "email_identity"), name="fixed_code_once"),)

    def __str__(self) -> str:
        return self.email
