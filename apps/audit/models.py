"""One table of events. Nothing here refers to other rows, since events outlive customers, users and operators."""

from typing import Self
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core import actors
from apps.core.ids import new_id
from apps.core.owned import OwnedQuerySet, Row


class Outcome(models.TextChoices):
    SUCCESS = "success", _("Success")
    FAILURE = "failure", _("Failure")
    DENIED = "denied", _("Denied")


class Severity(models.TextChoices):
    """How much attention a security event deserves; plain audit events are `info`."""

    INFO = "info", _("Info")
    LOW = "low", _("Low")
    MEDIUM = "medium", _("Medium")
    HIGH = "high", _("High")
    CRITICAL = "critical", _("Critical")


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
            models.Index(
                fields=("ip", "-at"),
                name="event_ip_at",
                condition=models.Q(ip__isnull=False),
                include=("customer_id",),  # whose a network's events are is known without reading them
            ),
            models.Index(fields=("request_id",), name="event_request", condition=~models.Q(request_id="")),
            # What few events are. Most are found at once among the newest.
            models.Index(
                fields=("severity", "-at"), name="event_severity_at", condition=~models.Q(severity=Severity.INFO)
            ),
            models.Index(
                fields=("outcome", "-at"), name="event_outcome_at", condition=~models.Q(outcome=Outcome.SUCCESS)
            ),
            # What operators did: few events among many.
            models.Index(
                fields=("actor", "-at"),
                name="event_operator_at",
                condition=models.Q(actor__startswith=actors.operator("")),
            ),
        )
        permissions = (("export_event", "Can export audit events"), ("verify_event", "Can verify the audit log"))

    def __str__(self) -> str:
        return f"{self.action.replace('_', ' ')} ({self.outcome})"


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


class Verification(models.Model):
    """A run over all chains of the audit log, which goes on where it stopped (`verification`)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    asked_by = models.CharField(max_length=200)  # as events name who acts
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    # The chain that is being verified, and how far. None is the service's own, which comes first.
    chain = models.UUIDField(null=True)
    position = models.BigIntegerField(default=0)
    hash = models.BinaryField(max_length=32)
    latest = models.DateTimeField(null=True)  # of the events of this chain so far
    chains = models.PositiveIntegerField(default=0)  # that are done
    events = models.PositiveBigIntegerField(default=0)  # that are done
    flaws = models.JSONField(default=list)  # of each broken chain the first: customer, position, what
    backdated = models.JSONField(default=list)  # events that are dated before what was there already: customer, event
    unchained = models.PositiveBigIntegerField(
        null=True
    )  # that were in no chain, and waited for none; null: not looked yet

    class Meta:
        constraints = (
            models.UniqueConstraint(
                models.Value(1), name="one_verification_at_a_time", condition=models.Q(finished_at__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"verification of {self.started_at}"


class Refusal(models.Model):
    """Beside the event of a refusal: how often it happened within ten minutes, and to which address (`refusals`).

    It is no event, and in no chain: the count goes up, and the address is forgotten.
    """

    event = models.OneToOneField(
        Event, on_delete=models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="refusal"
    )
    customer_id = models.UUIDField(null=True)
    address_hash = models.BinaryField(
        max_length=32, null=True
    )  # a keyed hash; null: none was given, or it is forgotten
    open_as = models.BinaryField(max_length=32, null=True, unique=True)  # what is counted here; null: nothing any more
    count = models.PositiveIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    objects = EventQuerySet["Refusal"].as_manager()

    class Meta:
        indexes = (
            models.Index(
                fields=("address_hash", "-first_at"),
                name="refusal_of_address",
                condition=models.Q(address_hash__isnull=False),
            ),
            models.Index(fields=("customer_id", "-first_at"), name="refusal_of_customer"),
            # For `audit.forget_addresses`.
            models.Index(
                fields=("first_at",), name="refusal_remembered", condition=models.Q(address_hash__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return f"refused {self.count} times"
