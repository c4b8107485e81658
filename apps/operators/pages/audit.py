"""Audit events: to read, and nothing else."""

from unfold.decorators import display

from apps.audit.models import Event
from apps.operators.pages.base import ReadOnlyAdmin


class EventAdmin(ReadOnlyAdmin):
    list_display = ("at", "action", "coloured_outcome", "coloured_severity", "actor", "customer_id", "ip")
    list_filter = ("outcome", "severity", "action")
    search_fields = ("actor", "action", "customer_id", "user_id", "request_id", "ip")
    date_hierarchy = "at"
    show_full_result_count = False
    fields = (
        "at",
        "action",
        "outcome",
        "severity",
        "actor",
        "customer_id",
        "user_id",
        "ip",
        "user_agent",
        "request_id",
        "details",
    )

    @display(
        description="Outcome",
        ordering="outcome",
        label={"success": "success", "failure": "warning", "denied": "danger"},
    )
    def coloured_outcome(self, row: Event) -> str:
        return row.outcome

    @display(
        description="Severity",
        ordering="severity",
        label={"low": "info", "medium": "warning", "high": "danger", "critical": "danger"},
    )
    def coloured_severity(self, row: Event) -> str:
        return row.severity
