"""From a figure to the rows that it counts: the query of their list. What `figures.counters` counts, these find."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from apps.audit import actions
from apps.audit.models import Outcome, Severity
from apps.customers.models import DEFAULT_CUSTOMER_ID
from apps.figures.counters import CODE_KINDS
from apps.figures.models import EVERYONE, FigureKind
from apps.mail.models import Channel, MessageState

EVENTS, MAILS, SESSIONS = (
    "admin:audit_event_changelist",
    "admin:mail_message_changelist",
    "admin:tokens_session_changelist",
)
TO_OPERATORS = "to_operators"  # yes or no: of the list of mails
FAILED = {"outcome__in": f"{Outcome.FAILURE},{Outcome.DENIED}"}
OF_SECURITY = {"severity__in": ",".join(severity for severity in Severity if severity != Severity.INFO)}
ALARMING = {"severity__in": f"{Severity.MEDIUM},{Severity.HIGH},{Severity.CRITICAL}"}
CODES = {"kind__in": ",".join(CODE_KINDS), "state__exact": MessageState.SENT}
OF_MAILS: Mapping[FigureKind, Mapping[str, str]] = {
    FigureKind.CODE_SENT: CODES,
    FigureKind.CODE_REDEEMED: {"state__exact": MessageState.SENT, "redeemed": "yes"},
    FigureKind.MAIL_TIME: {"state__exact": MessageState.SENT, "channel__exact": Channel.EMAIL},
    FigureKind.MAIL_WAITING: {"state__in": f"{MessageState.QUEUED},{MessageState.TAKEN}"},
    FigureKind.MAIL_FAILED: {"state__exact": MessageState.FAILED},
}


@dataclass(frozen=True)
class Rows:
    """Rows between two moments: of one customer, of all that the operator may see (None), or of no customer (EVERYONE)."""

    since: datetime
    until: datetime
    customer_id: UUID | None

    def of(self, kind: FigureKind, label: str | None = None) -> str:
        """The address of the list of what is counted as this. `label`: of this label alone."""
        if kind == FigureKind.SESSION:
            return self._list(SESSIONS, "customer__id__exact", {"alive_at": self.until.isoformat()})
        if kind in OF_MAILS:
            return self._list(MAILS, "customer_id__exact", self._of_mails(kind))
        return self._list(EVENTS, "customer_id__exact", {**self._between("at"), **_of_events(kind, label)})

    def _of_mails(self, kind: FigureKind) -> dict[str, str]:
        """Mails to operators are rows of the default customer, and count as nobody's."""
        query = {**self._between("created_at"), **OF_MAILS[kind]}
        whose = {DEFAULT_CUSTOMER_ID: "no", EVERYONE: "yes"}.get(self.customer_id) if self.customer_id else None
        return {**query, TO_OPERATORS: whose} if whose else query

    def of_alarms(self) -> str:
        """Security events that alerts count: not those of low severity."""
        return self._list(EVENTS, "customer_id__exact", {**self._between("at"), **ALARMING})

    def _between(self, column: str) -> dict[str, str]:
        return {f"{column}__gte": self.since.isoformat(), f"{column}__lt": self.until.isoformat()}

    def _list(self, place: str, owner: str, query: Mapping[str, str]) -> str:
        whose = {} if query.get(TO_OPERATORS) == "yes" else self._of_customer(owner)
        return reverse(place, query={**query, **whose})

    def _of_customer(self, owner: str) -> dict[str, str]:
        if self.customer_id == EVERYONE:
            return {owner.replace("__exact", "__isnull"): "True"}
        return {owner: str(self.customer_id)} if self.customer_id else {}


def _of_events(kind: FigureKind, label: str | None) -> dict[str, str]:
    if kind == FigureKind.SIGN_IN:
        return {"action__exact": actions.SIGN_IN, **({} if label is None else _detail("method", label))}
    if kind == FigureKind.FAILURE:
        if label is None:
            return FAILED
        action, _, rule = label.partition("/")
        return {**FAILED, "action__exact": action, **_detail("rule", rule)}
    if label is None:
        return OF_SECURITY
    severity, _, action = label.partition("/")
    return {"severity__exact": severity, "action__exact": action}


def _detail(name: str, value: str) -> dict[str, str]:
    return {f"details__{name}": value} if value else {f"details__{name}__isnull": "True"}
