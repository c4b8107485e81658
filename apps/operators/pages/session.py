"""Sessions: who is signed in, with what device and from where; and ending one or many."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from unfold.decorators import display

from apps.core.context import RequestContext
from apps.core.errors import NotFound
from apps.operators import words
from apps.operators.changes.declared_actions import RowAction, SelectionAction
from apps.operators.lists.labels import Label
from apps.operators.lists.searches import by_address_of_user, by_id, by_reference
from apps.operators.pages.base import ReadOnlyAdmin
from apps.operators.questions import Question
from apps.operators.words import sessions_ended
from apps.tokens import devices, sessions
from apps.tokens.models import EndReason, Session


class AliveFilter(admin.SimpleListFilter):
    """Sessions that can be used now, or could be at a moment of the past: the overview names the one it counted at."""

    title = lazy("state")
    parameter_name = "alive_at"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("now", _("alive"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        said = self.value()
        if said is None:
            return queryset
        moment = timezone.now() if said == "now" else datetime.fromisoformat(said)
        unended = Q(ended_at=None) | Q(ended_at__gt=moment)
        return queryset.filter(unended, expires_at__gt=moment, created_at__lte=moment)


class SessionAdmin(ReadOnlyAdmin):
    list_display = ("user", "customer", "device", "ip", "state", "created_at", "last_activity_at")
    list_filter = (AliveFilter, "customer")
    list_select_related = ("user", "customer")
    searches = (by_address_of_user("user"), by_reference("user"), by_id)
    search_help_text = lazy("A whole address, or an id")
    fields = (
        "id",
        "user",
        "customer",
        "device",
        "user_agent",
        "ip",
        "delivery",
        "state",
        "created_at",
        "last_activity_at",
        "auth_time",
        "signed_in_with",
    )
    readonly_fields = ("device", "signed_in_with", "state")
    actions = ("end_selected",)
    actions_detail = ("end",)

    @display(description=lazy("Device"))
    def device(self, row: Session) -> str:
        return devices.name_of(row.user_agent)

    @display(description=lazy("Signed in with"))
    def signed_in_with(self, row: Session) -> str:
        return words.proven_by(row.amr)

    @display(description=lazy("State"), label={"alive": "success", "expired": "warning", "ended": "default"})
    def state(self, row: Session) -> Label:
        if row.ended_at:
            return Label("ended", f"{_('ended')}: {row.get_end_reason_display()}")
        return Label("alive", _("alive")) if row.expires_at > timezone.now() else Label("expired", _("expired"))

    @RowAction(
        label=lazy("End"),
        takes_away=True,
        url_path="end",
        permissions=["change"],
        question=lambda session: Question(
            _("End this session of %s?") % session.user.email,
            [_("The device is signed out with its next request.")],
            button=_("End the session"),
        ),
    )
    def end(self, session: Session, context: RequestContext) -> str:
        _end(session, context)
        return _("Ended.")

    @SelectionAction(
        label=lazy("End the selected sessions"),
        takes_away=True,
        permissions=["change"],
        affected=lambda selected: selected.alive(timezone.now()),
        question=lambda chosen: Question(
            ngettext("End %d session?", "End %d sessions?", len(chosen)) % len(chosen),
            [_("Each device is signed out with its next request.")],
            button=_("End the sessions"),
        ),
    )
    def end_selected(self, chosen: list[Session], context: RequestContext) -> str:
        ended = [session for session in chosen if _has_ended(session, context)]
        return sessions_ended(len(ended))


def _has_ended(session: Session, context: RequestContext) -> bool:
    """End one of many. False: it has ended by itself meanwhile, and the others shall still end."""
    try:
        _end(session, context)
    except NotFound:
        return False
    return True


def _end(session: Session, context: RequestContext) -> None:
    sessions.end_one(
        customer_id=session.customer_id,
        user_id=session.user_id,
        session_id=session.id,
        reason=EndReason.OPERATOR,
        context=context,
    )
