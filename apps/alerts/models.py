"""Rules, and what they have raised."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, validate_email
from django.db import models
from django.db.models.functions import Collate, Lower
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id
from apps.core.owned import OwnedQuerySet
from apps.customers.models import Customer

MOST_RECIPIENTS = 10


class AlertKind(models.TextChoices):
    """What a rule watches. All but quotas are of this hour (UTC) and the one before."""

    FAILURES = "failures", _("Failures, in percent of all attempts")
    MAILS_FAILED = "mails_failed", _("Mails failed")
    SLOW_MAIL = "slow_mail", _("Time to mail, 95th percentile, in seconds")
    QUOTA = "quota", _("Quota used, in percent")
    SECURITY = "security", _("Security events, medium and above")


def recipients_of(text: str) -> list[str]:
    """The addresses in a text: separated by commas, spaces or lines."""
    return [part for part in re.split(r"[\s,;]+", text) if part]


def validate_recipients(text: str) -> None:
    """Raises ValidationError for what is no address, and for too many."""
    addresses = recipients_of(text)
    for address in addresses:
        validate_email(address)
    if len(addresses) > MOST_RECIPIENTS:
        raise ValidationError(_("At most %(most)d addresses."), params={"most": MOST_RECIPIENTS})


class AlertRule(models.Model):
    """From which number on who is told. Without a customer it watches every customer, each by itself, and the service's own."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(
        Customer,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="alert_rules",
        verbose_name=_("customer"),
    )
    kind = models.CharField(_("kind"), max_length=16, choices=AlertKind)
    threshold = models.PositiveIntegerField(_("threshold"), validators=[MinValueValidator(1)])
    recipients = models.TextField(_("recipients"), blank=True, max_length=2000, validators=[validate_recipients])
    is_active = models.BooleanField(_("active"), default=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("alert rule")
        verbose_name_plural = _("alert rules")
        ordering = ("kind", "threshold", "id")

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.threshold}"


class Alert(models.Model):
    """A threshold that was reached. There is one for each rule and customer until it is acknowledged, and over."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, related_name="alerts")
    customer_id = models.UUIDField()  # `figures.models.EVERYONE`: what belongs to no customer, as operators' sign-ins
    customer_name = models.CharField(_("customer"), max_length=200, blank=True)  # as it was then
    kind = models.CharField(_("kind"), max_length=16, choices=AlertKind)
    threshold = models.PositiveIntegerField(_("threshold"))
    value = models.PositiveBigIntegerField(_("value"))
    since = models.DateTimeField()  # what it counts began here, and ended when it was raised
    raised_at = models.DateTimeField(_("raised"))
    over_at = models.DateTimeField(_("over"), null=True)  # when it was first seen below the threshold again
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True)
    acknowledged_by = models.CharField(_("acknowledged by"), max_length=200, blank=True)  # as events name who acts

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ("-raised_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("rule", "customer_id"),
                condition=models.Q(acknowledged_at__isnull=True) | models.Q(over_at__isnull=True),
                name="one_alert_at_a_time",
            ),
        )
        indexes = (
            models.Index(
                fields=("-raised_at",), name="alert_unacknowledged", condition=models.Q(acknowledged_at__isnull=True)
            ),
            models.Index(fields=("raised_at",), name="alert_raised"),
            models.Index(Collate(Lower("customer_name"), "C"), name="alert_customer_begins"),  # for LIKE 'acme%'
            models.Index(fields=("customer_id",), name="alert_customer"),  # all of them go with it
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.value}"
