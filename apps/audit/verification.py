"""Verifying the whole audit log in the background, a few seconds at a time, for the page that shows how far it is."""

import time
from collections.abc import Callable
from datetime import datetime

from django.db import IntegrityError, transaction

from apps.audit import actions, chain, events
from apps.audit.models import ChainLink, Event, Outcome, Severity, Verification
from apps.core.context import RequestContext
from apps.core.patience import take_time

MOST_FLAWS = 100  # that are kept, and so many backdated events


def start(context: RequestContext) -> bool:
    """Begin a verification. False if one is under way already."""
    try:
        with transaction.atomic():
            Verification.objects.create(asked_by=context.actor, started_at=context.now, hash=chain.BEGINNING)
            events.record(action=actions.AUDIT_VERIFICATION_STARTED, context=context)
    except IntegrityError:
        return False
    return True


def newest() -> Verification | None:
    return Verification.objects.order_by("-started_at").first()


def go_on(*, seconds: float, clock: Callable[[], datetime]) -> int:
    """Verify for so long. Returns how many events that were."""
    run = Verification.objects.filter(finished_at=None).first()
    if run is None:
        return 0
    before, until = run.events, time.monotonic() + seconds
    if run.unchained is None:
        _link_what_waits(run)
    _verify_piece(run, clock)
    while run.finished_at is None and time.monotonic() < until:
        _verify_piece(run, clock)
    return run.events - before


def _link_what_waits(run: Verification) -> None:
    """What is in no chain could be removed unseen. To look for it reads all events."""
    with transaction.atomic():
        take_time()
        run.unchained = chain.note_what_is_unchained()
        run.save()
    while chain.extend():
        pass


def _verify_piece(run: Verification, clock: Callable[[], datetime]) -> None:
    piece = chain.check(run.chain, chain.Place(run.position, bytes(run.hash), run.latest))
    run.events += piece.end.position - run.position
    run.position, run.hash, run.latest = piece.end.position, piece.end.hash, piece.end.latest
    _note_backdated(run, piece.backdated)
    if piece.flaw and len(run.flaws) < MOST_FLAWS:
        run.flaws.append({"customer": str(run.chain or ""), "position": piece.flaw.position, "what": piece.flaw.what})
    if piece.is_last:
        _take_next_chain(run, clock)
    run.save()


def _note_backdated(run: Verification, found: list[Event]) -> None:
    kept = found[: MOST_FLAWS - len(run.backdated)]
    run.backdated += [{"customer": str(run.chain or ""), "event": str(event.id)} for event in kept]


def _take_next_chain(run: Verification, clock: Callable[[], datetime]) -> None:
    run.chains += 1
    links = ChainLink.objects.filter(customer_id__isnull=False).order_by("customer_id")
    left = links if run.chain is None else links.filter(customer_id__gt=run.chain)
    following = left.values_list("customer_id", flat=True).first()
    if following is None:
        _finish(run, clock())
    else:
        run.chain, run.position, run.hash, run.latest = following, 0, chain.BEGINNING, None


def _finish(run: Verification, now: datetime) -> None:
    run.finished_at = now
    is_whole = not run.flaws
    events.record(
        action=actions.AUDIT_VERIFIED,
        outcome=Outcome.SUCCESS if is_whole else Outcome.FAILURE,
        severity=Severity.INFO if is_whole else Severity.CRITICAL,
        context=RequestContext.system(now=now),
        details={"result": "whole" if is_whole else "broken", "chains": run.chains, "events": run.events},
    )
