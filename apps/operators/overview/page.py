"""What the template of the overview is given."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.audit.models import Event
from apps.customers.models import Customer
from apps.figures import quotas, reading
from apps.figures.counting import HOUR
from apps.figures.models import FigureKind
from apps.figures.reading import Span
from apps.mail.models import Message
from apps.operators.lists.figure_rows import Rows
from apps.operators.overview import breakdowns, choice, tiles, todo
from apps.operators.overview.choice import DAYS, Choice
from apps.operators.overview.plots import Cell, Plot, Row
from apps.operators.overview.tiles import Shown


def context(request: HttpRequest) -> dict[str, Any]:
    """The overview that is asked for, as far as the operator may see it."""
    now, chosen = timezone.now(), choice.of(request)
    shown = Shown(
        figures=reading.read(Span.of_days(chosen.days, now=now), chosen.customers),
        customers=chosen.customers,
        customer_id=chosen.customer.id if chosen.customer else None,
        may_view=lambda model: _may_view(request, model),
    )
    nearest = quotas.nearest(chosen.customers, now=now) if shown.may_view(Customer) else []
    tasks = sorted(todo.of(shown, nearest), key=lambda task: not task.grave)
    of_customer = _("Overview of %(name)s") % {"name": chosen.customer.name} if chosen.customer else ""
    return {
        "title": of_customer or _("Overview"),
        "chosen": chosen,
        "periods": [_period(chosen, days) for days in DAYS],
        "may_choose": shown.may_view(Customer),
        "suggested": [(customer, _query(chosen.days, customer)) for customer in chosen.suggested],
        "everyone": _query(chosen.days, None),
        "late": todo.late(shown, now=now),
        "counted_at": shown.figures.counted_at.get("events"),
        "tasks": tasks,
        "tiles": tiles.of(shown),
        "plots": list(_plots(shown)),
        "breakdowns": list(breakdowns.of(shown, nearest)),
    }


def _may_view(request: HttpRequest, model: type[Model]) -> bool:
    return bool(admin.site.get_model_admin(model).has_view_permission(request))


def _period(chosen: Choice, days: int) -> dict[str, Any]:
    name = _("Today") if days == 1 else ngettext("%d day", "%d days", days) % days
    return {"name": name, "query": _query(days, chosen.customer), "is_chosen": days == chosen.days}


def _query(days: int, customer: Customer | None) -> str:
    of_customer = {"customer": str(customer.id)} if customer else {}
    return "?" + urlencode({"days": days, **of_customer})


def _plots(shown: Shown) -> Iterator[Plot]:
    if shown.may_view(Event):
        kinds = (FigureKind.SIGN_IN, FigureKind.FAILURE)
        yield _plot(shown, "sign-ins", _("Sign-ins and failures"), (_("Sign-ins"), _("Failures")), kinds)
    if shown.may_view(Message):
        of_codes = (FigureKind.CODE_SENT, FigureKind.CODE_REDEEMED)
        yield _plot(shown, "codes", _("Codes sent and redeemed"), (_("Codes sent"), _("Codes redeemed")), of_codes)


def _plot(shown: Shown, slug: str, title: str, series: tuple[str, str], kinds: tuple[FigureKind, FigureKind]) -> Plot:
    span = shown.figures.span
    columns = [shown.figures.by_step(kind) for kind in kinds]
    counter = "events" if kinds[0] == FigureKind.SIGN_IN else "mails"
    rows = [
        Row(
            begins, tuple(_cell(shown, counter, kind, begins, value) for kind, value in zip(kinds, values, strict=True))
        )
        for begins, *values in zip(span.steps(), *columns, strict=True)
    ]
    return Plot(slug, title, series, rows, is_hourly=span.step == HOUR)


def _cell(shown: Shown, counter: str, kind: FigureKind, begins: datetime, value: int) -> Cell:
    """A step ends where the next begins, or where counting has come to. Nothing leads to no list: most steps have nothing."""
    if not value:
        return Cell(0, "")
    until = min(begins + shown.figures.span.step, shown.figures.until(counter))
    return Cell(value, Rows(begins, max(until, begins), shown.customer_id).of(kind))
