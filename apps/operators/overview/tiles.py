"""The numbers on top: what each counts, and the list of exactly these rows."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Model
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from apps.audit.models import Event
from apps.figures import reading
from apps.figures.models import FigureKind
from apps.figures.reading import Customers, Figures
from apps.mail.models import Message
from apps.operators.lists.figure_rows import Rows
from apps.operators.overview import names
from apps.tokens.models import Session

MayView = Callable[[type[Model]], bool]


@dataclass(frozen=True)
class Tile:
    """As the page shows it. `bad`: someone should look."""

    kind: FigureKind
    label: str
    value: str
    url: str
    note: str = ""
    bad: bool = False


@dataclass(frozen=True)
class Shown:
    """Figures, whose they are, and which models the operator may look at."""

    figures: Figures
    customers: Customers
    customer_id: UUID | None
    may_view: MayView

    def rows(self, counter: str) -> Rows:
        """All rows that this counter has counted in the span."""
        span = self.figures.span
        return Rows(span.since, max(self.figures.until(counter), span.since), self.customer_id)

    def number(self, kind: FigureKind) -> str:
        return number_format(self.figures.total(kind), force_grouping=True)


def of(shown: Shown) -> list[Tile]:
    """Each operator sees those of the lists that it may look at."""
    parts: list[tuple[type[Model], Callable[[Shown], list[Tile]]]] = [
        (Message, _of_codes),
        (Event, _of_events),
        (Session, _of_sessions),
        (Message, _of_mails),
    ]
    return [tile for model, tiles in parts if shown.may_view(model) for tile in tiles(shown)]


def _of_codes(shown: Shown) -> list[Tile]:
    found, rows = shown.figures, shown.rows("mails")
    sent, redeemed = found.total(FigureKind.CODE_SENT), found.total(FigureKind.CODE_REDEEMED)
    return [
        _tile(shown, rows, FigureKind.CODE_SENT, _("Codes sent")),
        _tile(
            shown,
            rows,
            FigureKind.CODE_REDEEMED,
            _("Codes redeemed"),
            note=_("%s of those sent") % names.percent(redeemed, sent),
        ),
        Tile(
            FigureKind.MAIL_TIME,
            _("Time to mail"),
            names.seconds(found.time_to_mail(0.5)),
            rows.of(FigureKind.MAIL_TIME),
            _("median of %(count)s; 95th: %(time)s")
            % {
                "count": shown.number(FigureKind.MAIL_TIME),
                "time": names.seconds(found.time_to_mail(0.95)).replace(" ", names.NO_BREAK),
            },
        ),
    ]


def _of_events(shown: Shown) -> list[Tile]:
    rows = shown.rows("events")
    severe = [label for label in shown.figures.by_label(FigureKind.SECURITY) if not label.startswith("low/")]
    return [
        _tile(shown, rows, FigureKind.SIGN_IN, _("Sign-ins")),
        _tile(shown, rows, FigureKind.FAILURE, _("Failures")),
        _tile(shown, rows, FigureKind.SECURITY, _("Security events"), bad=bool(severe)),
    ]


def _of_sessions(shown: Shown) -> list[Tile]:
    at = shown.figures.counted_at.get("sessions")
    alive = reading.sessions_at(at, shown.customers)
    return [
        Tile(
            FigureKind.SESSION,
            _("Living sessions"),
            number_format(alive, force_grouping=True),
            shown.rows("sessions").of(FigureKind.SESSION),
            _("at %s") % f"{at:%H:%M} UTC" if at else _("not counted yet"),
        )
    ]


def _of_mails(shown: Shown) -> list[Tile]:
    rows = shown.rows("mails")
    return [
        _tile(shown, rows, FigureKind.MAIL_WAITING, _("Mails waiting")),
        _tile(
            shown, rows, FigureKind.MAIL_FAILED, _("Mails failed"), bad=shown.figures.total(FigureKind.MAIL_FAILED) > 0
        ),
    ]


def _tile(shown: Shown, rows: Rows, kind: FigureKind, label: str, *, note: str = "", bad: bool = False) -> Tile:
    return Tile(kind, label, shown.number(kind), rows.of(kind), note, bad)
