"""Sessions: who is signed in, with what device and from where; and ending one or many."""

from django.utils import timezone
from django.utils.translation import gettext as _
from unfold.decorators import display

from apps.core.context import RequestContext
from apps.core.errors import NotFound
from apps.operators.declared_actions import RowAction, SelectionAction
from apps.operators.pages.base import ReadOnlyAdmin
from apps.operators.questions import Question
from apps.tokens import devices, sessions
from apps.tokens.models import EndReason, Session


class SessionAdmin(ReadOnlyAdmin):
    list_display = ("user", "customer", "device", "ip", "state", "created_at", "last_activity_at")
    list_filter = ("customer", "delivery", "end_reason")
    ordering = ("-id",)  # UUIDv7: the newest first, in the order of the primary key
    list_select_related = ("user", "customer")
    search_fields = ("user__email", "user__email_identity", "id", "ip")
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
        "amr",
    )
    readonly_fields = ("device", "state")
    actions = ("end_selected",)
    actions_detail = ("end",)

    @display(description=_("Device"))
    def device(self, row: Session) -> str:
        return devices.name_of(row.user_agent)

    @display(description=_("State"), label={"alive": "success", "expired": "warning"})
    def state(self, row: Session) -> str:
        if row.ended_at:
            return f"ended ({row.end_reason})"
        return "alive" if row.expires_at > timezone.now() else "expired"

    @RowAction(
        label=_("End"),
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
        label=_("End the selected sessions"),
        permissions=["change"],
        affected=lambda selected: selected.alive(timezone.now()),
        question=lambda chosen: Question(
            _("End %d session(s)?") % len(chosen),
            [_("Each device is signed out with its next request.")],
            button=_("End the sessions"),
        ),
    )
    def end_selected(self, chosen: list[Session], context: RequestContext) -> str:
        ended = [session for session in chosen if _has_ended(session, context)]
        return _("%d session(s) ended.") % len(ended)


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
