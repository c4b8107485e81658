"""What an alert says, in a sentence."""

from django.utils.translation import gettext as _

from apps.alerts.models import Alert, AlertKind


def of(alert: Alert) -> str:
    """Who, what, how much, and from which number on."""
    facts = {"who": alert.customer_name or _("The service itself"), "value": alert.value, "threshold": alert.threshold}
    return str(
        {
            AlertKind.FAILURES: _("%(who)s: %(value)s %% of all attempts fail (alert from %(threshold)s %%)."),
            AlertKind.MAILS_FAILED: _("%(who)s: mails that failed: %(value)s (alert from %(threshold)s)."),
            AlertKind.SLOW_MAIL: _(
                "%(who)s: one mail in twenty takes %(value)s seconds or longer (alert from %(threshold)s)."
            ),
            AlertKind.QUOTA: _("%(who)s: %(value)s %% of a quota is used (alert from %(threshold)s %%)."),
            AlertKind.SECURITY: _("%(who)s: security events: %(value)s (alert from %(threshold)s)."),
        }[AlertKind(alert.kind)]
        % facts
    )
