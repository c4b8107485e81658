"""The desk at which operators decide about one user after the other: documents beside the decision, and a key for each step."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse

from apps.approvals import documents
from apps.approvals.models import CheckState, IdentityCheck
from apps.files.models import UserFile
from apps.operators.pages import document_answer
from apps.operators.questions import address_of

MOST_COUNTED = 1000  # of those who wait: beyond that their number says nothing


@dataclass(frozen=True)
class Document:
    """One of the user's documents. What it is called is the user's text. `is_shown`: browsers show it beside the decision."""

    name: str
    media_type: str
    size: int
    address: str
    is_shown: bool

    @property
    def beside(self) -> str:
        return f"{self.address}?{document_answer.BESIDE}=1"


def facts(check: IdentityCheck, waiting: QuerySet[IdentityCheck], form: Any) -> dict[str, Any]:
    """What the page is given. `waiting`: those about whom this operator decides. Four queries, however many wait."""
    files = [_document(check, file) for file in documents.of(check)]
    previous, following = before(check, waiting), after(check, waiting)
    return {
        "check": check,
        "documents": files,
        "opened_document": next((file for file in files if file.is_shown), None),
        "previous_address": address_of(previous) if previous else "",
        "next_address": address_of(following) if following else "",
        "waiting_count": waiting.order_by()[:MOST_COUNTED].count(),
        "most_counted": MOST_COUNTED,
        "approve_address": reverse("admin:approvals_identitycheck_approve", args=[check.pk]),
        "reject_address": reverse("admin:approvals_identitycheck_reject", args=[check.pk]),
        "reason_form": form,
    }


def waiting(checks: QuerySet[IdentityCheck]) -> QuerySet[IdentityCheck]:
    """Those of these who wait, the longest first."""
    return checks.filter(state=CheckState.WAITING).order_by("created_at", "id")


def after(check: IdentityCheck, waiting: QuerySet[IdentityCheck]) -> IdentityCheck | None:
    """Who has waited longest of those who have waited less than this one."""
    return waiting.filter(Q(created_at__gt=check.created_at) | Q(created_at=check.created_at, id__gt=check.id)).first()


def before(check: IdentityCheck, waiting: QuerySet[IdentityCheck]) -> IdentityCheck | None:
    return waiting.filter(Q(created_at__lt=check.created_at) | Q(created_at=check.created_at, id__lt=check.id)).last()


def address_of_document(check: IdentityCheck, file: UserFile) -> str:
    return reverse("admin:approvals_identitycheck_document", args=[check.pk, file.id])


def _document(check: IdentityCheck, file: UserFile) -> Document:
    is_shown = file.media_type in document_answer.SHOWN
    return Document(file.name, file.media_type, file.size, address_of_document(check, file), is_shown)
