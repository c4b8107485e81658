"""The numbers of the first page."""

from dataclasses import dataclass
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.audit.models import Event, Severity
from apps.customers.models import Customer
from apps.mail.models import Message, MessageState
from apps.signin import waiting
from apps.tokens.models import Session
from apps.users.models import User

ALARMING = (Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)


@dataclass(frozen=True)
class Number:
    """One tile: what it counts, how many, and the list behind it. `bad`: any at all needs a look."""

    label: str
    value: int
    url: str
    bad: bool = False


def numbers() -> list[Number]:
    """How things are at this moment."""
    now = timezone.now()
    day_ago = now - timedelta(days=1)
    failed = Message.objects.filter(state=MessageState.FAILED, created_at__gte=day_ago).count()
    alarms = Event.objects.filter(severity__in=ALARMING, at__gte=day_ago).count()
    return [
        Number(_("Customers"), Customer.objects.count(), reverse("admin:customers_customer_changelist")),
        Number(_("Users"), User.objects.count(), reverse("admin:users_user_changelist")),
        Number(
            _("Users to approve"),
            waiting.for_operators().count(),
            reverse("admin:signin_identitycheck_changelist") + "?state__exact=waiting",
        ),
        Number(
            _("Living sessions"),
            Session.objects.filter(ended_at=None, expires_at__gt=now).count(),
            reverse("admin:tokens_session_changelist"),
        ),
        Number(
            _("Mails waiting"),
            Message.objects.filter(state__in=(MessageState.QUEUED, MessageState.TAKEN)).count(),
            reverse("admin:mail_message_changelist") + "?state__exact=queued",
        ),
        Number(
            _("Mails failed, 24 h"),
            failed,
            reverse("admin:mail_message_changelist") + "?state__exact=failed",
            bad=failed > 0,
        ),
        Number(
            _("Security events, 24 h"),
            alarms,
            reverse("admin:audit_event_changelist"),
            bad=alarms > 0,
        ),
    ]
