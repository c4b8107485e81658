"""One table of events. Nothing here refers to other rows, since events outlive customers, users and operators."""

from typing import Self
from uuid import UUID

from django.db import models

from apps.core.ids import new_id
from apps.core.owned import OwnedQuerySet, Row


class Outcome(models.TextChoices):
    SUCCESS = "success"
    FAILURE = "failure"
    DENIED = "denied"


class Severity(models.TextChoices):
    """How much attention a security event deserves; plain audit events are `info`."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class EventQuerySet(OwnedQuerySet[Row]):
    """Events and links of a customer, or of the service itself."""

    def of(self, customer_id: UUID | models.OuterRef | None) -> Self:
        """Those of this customer; None: the service's own."""
        return self.filter(**{self.owner: customer_id})


class UnchainedEventQuerySet(EventQuerySet["UnchainedEvent"]):
    """Notes of the events of a customer, or of the service itself."""

    owner = "event__customer_id"


class Event(models.Model):
    """What happened. Written once by `events.record`; a database trigger refuses UPDATE and DELETE (contract 8)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField()
    customer_id = models.UUIDField(null=True)
    user_id = models.UUIDField(null=True)
    actor = models.CharField(max_length=200)  # "user:<id>", "system" and the like: `core.actors` makes them
    action = models.CharField(max_length=64)  # one of `actions`
    outcome = models.CharField(max_length=16, choices=Outcome)
    severity = models.CharField(max_length=16, choices=Severity, default=Severity.INFO)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=512, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = "audit event"
        verbose_name_plural = "audit events"
        ordering = ("-at", "-id")
        indexes = (
            models.Index(fields=("customer_id", "-at"), name="event_customer_at"),
            models.Index(fields=("customer_id", "user_id", "-at"), name="event_user_at"),
            models.Index(fields=("action", "-at"), name="event_action_at"),
            models.Index(fields=("-at", "-id"), name="event_at"),
        )

    def __str__(self) -> str:
        return f"{self.action} ({self.outcome})"


class ChainLink(models.Model):
    """The place of an event in its customer's hash chain: `hash` covers the event and the link before it."""

    event = models.OneToOneField(Event, on_delete=models.PROTECT, primary_key=True, db_constraint=False)
    customer_id = models.UUIDField(null=True)
    position = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("customer_id", "position"), name="chain_position_once"),
            # NULLs are distinct to PostgreSQL 14, so the service's own chain needs a constraint of its own.
            models.UniqueConstraint(
                fields=("position",), condition=models.Q(customer_id__isnull=True), name="service_chain_position_once"
            ),
        )

    def __str__(self) -> str:
        return f"link {self.position}"


class UnchainedEvent(models.Model):
    """An event that waits for its link. A trigger inserts it with the event; the link takes its place (`chain`)."""

    event = models.OneToOneField(
        Event, on_delete=models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="+"
    )

    objects = UnchainedEventQuerySet.as_manager()

    def __str__(self) -> str:
        return f"unchained {self.event_id}"
