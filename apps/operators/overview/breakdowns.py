"""Lists of figures by label: each a bar, a number, and the rows behind it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from apps.audit.models import Event
from apps.customers.models import Customer
from apps.figures.models import FigureKind
from apps.figures.quotas import QuotaState
from apps.operators.overview import names
from apps.operators.overview.tiles import Shown

MOST = 10  # of a list: what comes after is seldom


@dataclass(frozen=True)
class Line:
    """`width`: of the bar, in percent."""

    label: str
    value: str
    url: str
    width: float
    bad: bool = False


@dataclass(frozen=True)
class Breakdown:
    """`nothing`: what the page says of an empty list. `more`: how many lines there would be besides."""

    slug: str
    title: str
    lines: list[Line]
    nothing: str
    more: int = 0


def of(shown: Shown, quotas: list[QuotaState]) -> Iterator[Breakdown]:
    if shown.may_view(Event):
        yield _by_label(
            shown, FigureKind.SIGN_IN, _("Sign-ins by method"), names.method, nothing=_("Nobody has signed in.")
        )
        yield _by_label(shown, FigureKind.FAILURE, _("Failures by reason"), names.failure, nothing=_("Nothing failed."))
        yield _by_label(
            shown,
            FigureKind.SECURITY,
            _("Security events by kind"),
            names.security,
            nothing=_("Nothing suspicious happened."),
        )
    if shown.may_view(Customer):
        yield Breakdown(
            "quotas", _("Nearest quotas"), [_of_quota(state) for state in quotas], _("No quota has been used yet.")
        )


def _by_label(shown: Shown, kind: FigureKind, title: str, name: Callable[[str], str], *, nothing: str) -> Breakdown:
    counts, rows = shown.figures.by_label(kind), shown.rows("events")
    most = max(counts.values(), default=1)
    lines = [
        Line(name(label), number_format(count, force_grouping=True), rows.of(kind, label), 100 * count / most)
        for label, count in list(counts.items())[:MOST]
    ]
    return Breakdown(kind.value, title, lines, nothing, max(len(counts) - MOST, 0))


def _of_quota(state: QuotaState) -> Line:
    numbers = {
        "used": number_format(state.used, force_grouping=True),
        "allowed": number_format(state.allowed, force_grouping=True),
    }
    return Line(
        f"{state.customer}: {names.QUOTAS[state.quota]}",
        _("%(used)s of %(allowed)s") % numbers,
        reverse("admin:customers_customer_change", args=[state.customer_id]),
        min(100 * state.share, 100),
        state.share >= NEAR,
    )


NEAR = 0.8  # of a quota: somebody should look
