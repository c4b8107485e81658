"""Hourly figures, and which hours have been counted. They hold no data of users: numbers alone."""

from uuid import UUID

from django.db import models

from apps.core.owned import OwnedQuerySet

# Rows of this customer are the sums over all, and count what belongs to no customer, too.
EVERYONE = UUID(int=0)


class FigureKind(models.TextChoices):
    """What is counted, and what a figure's label says of it."""

    SIGN_IN = "sign_in"  # label: the first factor
    FAILURE = "failure"  # label: the action, and the rule that refused, if one is named: "action" or "action/rule"
    SECURITY = "security"  # label: severity and action, "high/code_guessing"
    CODE_SENT = "code_sent"
    CODE_REDEEMED = "code_redeemed"  # of those sent in this hour, whenever it was redeemed
    MAIL_TIME = "mail_time"  # label: the bucket of `latency` between request and acceptance
    MAIL_WAITING = "mail_waiting"
    MAIL_FAILED = "mail_failed"
    SESSION = "session"  # those alive when the hour was last counted


class HourlyFigure(models.Model):
    """How many rows there are of a kind and label, of one customer and one hour (UTC)."""

    customer_id = models.UUIDField()
    hour = models.DateTimeField()  # its beginning
    kind = models.CharField(max_length=16)
    label = models.CharField(max_length=160, blank=True)
    count = models.PositiveBigIntegerField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        # The count beside the key: a month of many customers is read from the index alone.
        constraints = (
            models.UniqueConstraint(
                fields=("customer_id", "hour", "kind", "label"), include=("count",), name="figure_once"
            ),
        )
        indexes = (models.Index(fields=("hour", "kind"), name="figure_hour"),)

    def __str__(self) -> str:
        return f"{self.count} {self.kind} {self.label}".rstrip()


class CountedHour(models.Model):
    """When an hour was last counted. Later rows, and rows that have changed since, are found when it is counted again."""

    counter = models.CharField(max_length=16)  # one of `counters.COUNTERS`
    hour = models.DateTimeField()
    counted_at = models.DateTimeField()  # rows from before this moment are counted
    seconds = models.FloatField()  # that it took

    class Meta:
        constraints = (models.UniqueConstraint(fields=("counter", "hour"), name="hour_once"),)
        indexes = (models.Index(fields=("hour",), name="counted_hour"),)

    def __str__(self) -> str:
        return f"{self.counter} of {self.hour:%Y-%m-%d %H}:00"
