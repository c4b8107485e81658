"""The outbox and its ledger. The row alone makes sure that a mail is sent; the task only makes it quick."""

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id
from apps.core.owned import OwnedQuerySet
from apps.core.row_lease import Leasable
from apps.core.sealed import SealedField


class MessageState(models.TextChoices):
    QUEUED = "queued", _("Waits")  # waits for a worker, or for its next try
    TAKEN = "taken", _("Being sent")  # leased by a worker until `leased_until`
    SENT = "sent", _("Sent")  # a server has accepted it
    FAILED = "failed", _("Failed")  # given up: expired, or refused for good
    SANDBOXED = "sandboxed", _("Of a test key")  # of a test key: listed there, never sent
    SUPPRESSED = (
        "suppressed",
        _("Held back"),
    )  # never sent, mostly because nobody has the address; written so that both cost the same


class Channel(models.TextChoices):
    EMAIL = "email", _("Email")
    SMS = "sms", _("SMS")


class Message(Leasable):
    """A mail or an SMS to be sent. Its content is sealed, since it may hold a code."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer_id = models.UUIDField()
    user_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=64)  # "sign_in_code", ...: the template
    channel = models.CharField(max_length=8, choices=Channel, default=Channel.EMAIL)
    locale = models.CharField(
        max_length=16, blank=True, default="", db_default=""
    )  # that the recipient asked for; empty: none
    recipient = models.CharField(max_length=320)  # of an SMS only what may be shown: "+49 … 67"
    # JSON: what a mail is rendered from; of an SMS number, text, sender. Emptied when no longer needed.
    content = SealedField(blank=True)
    state = models.CharField(max_length=16, choices=MessageState, default=MessageState.QUEUED)
    created_at = models.DateTimeField()
    next_try_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    enqueued_at = models.DateTimeField(null=True)  # when its task was put into the queue; null: none waits there
    expires_at = models.DateTimeField()
    turn = models.PositiveBigIntegerField(default=0, db_default=0)  # the round in which it is sent first (`turns`)
    sandbox_key_id = models.CharField(max_length=12, blank=True)
    # For a message with a one-time code: the code's set, and since when the code is worth nothing, because it was used or its set
    # was spent. Kept here and not only in Valkey, which may come back with an old copy.
    code_set = models.CharField(max_length=64, blank=True, default="", db_default="")
    code_spent_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)
    # For a message with a code or link: the version of its user's credentials under which that counts (`users.credentials`; 0 if
    # nobody has the address). Null for a message that opens nothing.
    credentials_version = models.PositiveIntegerField(null=True)

    held_until = "leased_until"

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = "mail"
        verbose_name_plural = "mails"
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=("customer_id", "-created_at"), name="message_customer_created"),
            models.Index(
                fields=("next_try_at",), name="message_due", condition=models.Q(state__in=("queued", "taken"))
            ),
            # For `turns`: those that were not tried yet.
            models.Index(
                fields=("turn", "created_at"),
                name="message_turn",
                condition=models.Q(state="queued", attempts=0),
            ),
            models.Index(
                fields=("customer_id", "turn"),
                name="message_customer_turn",
                condition=models.Q(state="queued", attempts=0),
            ),
            # For operators' lists: what few messages are. Of the others the newest are found at once.
            models.Index(
                fields=("state", "-id"),
                name="message_state",
                condition=models.Q(state__in=("failed", "sandboxed", "suppressed")),
            ),
            models.Index(fields=("-id",), name="message_sms", condition=models.Q(channel="sms")),
            models.Index(fields=("kind", "-id"), name="message_kind", condition=~models.Q(kind="sign_in_code")),
            # What a user was sent, and what was sent to an address that nobody had then.
            models.Index(fields=("user_id",), name="message_user", condition=models.Q(user_id__isnull=False)),
            models.Index(
                Lower("recipient"), "customer_id", name="message_to_address", condition=models.Q(user_id__isnull=True)
            ),
            # For `mail.sweep`, which gives them up.
            models.Index(
                fields=("expires_at",), name="message_unsent_expiry", condition=models.Q(state__in=("queued", "taken"))
            ),
            # For `mail.sweep`, which empties them; most rows are empty already.
            models.Index(fields=("expires_at",), name="message_content_kept", condition=~models.Q(content="")),
            models.Index(fields=("code_set", "expires_at"), name="message_code_set", condition=~models.Q(code_set="")),
            models.Index(
                fields=("sandbox_key_id", "-created_at"), name="message_sandbox", condition=~models.Q(sandbox_key_id="")
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class LedgerStep(models.TextChoices):
    QUEUED = "queued", _("Queued")
    TAKEN = "taken", _("Taken by a worker")
    ACCEPTED = "accepted", _("Accepted by a server")
    DEFERRED = "deferred", _("Deferred")
    FAILED = "failed", _("Failed")
    RESENT = "resent", _("Sent again")
    CODE_USED = "code_used", _("Code used")


class LedgerQuerySet(OwnedQuerySet["LedgerEntry"]):
    """Steps of messages, each of which is a customer's."""

    owner = "message__customer_id"


class LedgerEntry(models.Model):
    """One step in a message's life: when, which server, what it answered. `queued` is the message's own row."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="ledger")
    at = models.DateTimeField()
    step = models.CharField(max_length=16, choices=LedgerStep)
    server = models.CharField(max_length=255, blank=True)
    answer = models.CharField(max_length=500, blank=True)

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"{self.get_step_display()}, {self.at:%Y-%m-%d %H:%M:%S}"


class QuotaUse(models.Model):
    """How much of its quotas a customer has used today and this month (UTC). One row per customer, counted by one statement."""

    customer_id = models.UUIDField(primary_key=True)
    day = models.DateField()
    sent_today = models.PositiveBigIntegerField()
    month = models.DateField()  # its first day
    sent_this_month = models.PositiveBigIntegerField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.sent_today} today, {self.sent_this_month} this month"


class MailQuotaUse(QuotaUse):
    """Of code mails."""


class SmsQuotaUse(QuotaUse):
    """Of SMS, in segments."""
