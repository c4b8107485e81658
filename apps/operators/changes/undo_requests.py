"""Undoing all that one request of an operator did: an action on several rows, or a form that changed several things."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.audit.models import Event
from apps.core.context import RequestContext
from apps.core.errors import GatehouseError
from apps.operators.changes import undo
from apps.operators.changes.undo import Undo
from apps.operators.questions import Affected, Question

MOST = 100  # events of one request: an action is for the rows of one page


@dataclass(frozen=True)
class Attempt:
    """`kept`: what was not undone, and why."""

    undone: list[Undo]
    kept: list[tuple[Undo, GatehouseError]]


def changes_of(events: QuerySet[Event], request_id: str, actor: str) -> Iterator[Undo]:
    """What this operator did by that request and can be undone, the last change first. `events`: those that may be seen."""
    if request_id:
        done = events.filter(request_id=request_id, actor=actor).order_by("-at", "-id")
        yield from (found for event in done[:MOST] if (found := undo.of(event)))


def question(changes: list[Undo]) -> tuple[Question, bool]:
    """One for all of them, and whether one of them is grave."""
    asked = [(each, *each.question()) for each in changes]
    lines = [f"{each.row}: {line}" for each, its, _is_grave in asked for line in its.explanation]
    numbers = [
        Affected(f"{each.row}: {number.label}", number.count, number.last_used_at)
        for each, its, _is_grave in asked
        for number in its.numbers
    ]
    title = ngettext("Undo %d change?", "Undo %d changes?", len(changes)) % len(changes)
    return Question(title, lines, button=_("Undo all"), numbers=numbers), any(grave for *_rest, grave in asked)


def undo_all(changes: Iterable[Undo], context: RequestContext) -> Attempt:
    """Each as a whole or not at all, and whatever becomes of the others."""
    attempt = Attempt([], [])
    for each in changes:
        try:
            undo.undo(each.event, context)
        except GatehouseError as error:
            attempt.kept.append((each, error))
        else:
            attempt.undone.append(each)
    return attempt
