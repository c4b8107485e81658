"""Why was this user refused? An address, and what is known of the request; then what happened, and what would happen now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.accounts.inquiry import outlook, story, subject
from apps.accounts.inquiry.outlook import NOT_ASKED, Check, Outlook
from apps.accounts.inquiry.story import Step
from apps.accounts.inquiry.subject import Circumstances, InquirySubject
from apps.api_keys import keys
from apps.audit import steps
from apps.audit.models import Event
from apps.core.errors import ValidationFailed
from apps.core.ids import parse_id
from apps.customers.models import Customer
from apps.operators import refusal_texts
from apps.operators.questions import address_of
from apps.users import emails
from apps.users.emails import Address
from apps.users.models import User

RIGHTS = ("audit.view_event", "users.view_user")
TEMPLATE = "operators/why_refused.html"
OK, WARNING, DANGER, UNKNOWN = "success", "warning", "danger", "info"
AT = "%Y-%m-%dT%H:%M"


class WhyForm(forms.Form):
    """What the operator knows. Only the address is needed, and not even that behind an event or a user."""

    email = forms.CharField(
        label=_("Email address"),
        required=False,
        max_length=320,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false", "autofocus": ""}),
    )
    customer = forms.CharField(
        label=_("Customer"),
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("Its short name or id. Empty: wherever the address is known."),
    )
    at = forms.DateTimeField(
        label=_("About when (UTC)"),
        required=False,
        input_formats=[AT, "%Y-%m-%dT%H:%M:%S"],
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        help_text=_("An hour before and after. Empty: the newest."),
    )
    ip = forms.GenericIPAddressField(
        label=_("IP address"),
        required=False,
        unpack_ipv4=True,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    key = forms.CharField(
        label=_("API key"),
        required=False,
        max_length=12,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Its id, the 12 characters after ghk_live_. Never the whole key."),
    )

    def clean_email(self) -> Address | None:
        text = self.cleaned_data["email"]
        try:
            return emails.parse(text) if text else None
        except ValidationFailed:
            raise forms.ValidationError(_("Enter an email address.")) from None

    def clean_key(self) -> str:
        text: str = self.cleaned_data["key"]
        if text and len(text) != keys.KEY_ID_LENGTH:
            raise forms.ValidationError(_("An id of an API key has 12 characters."))
        return text

    def more_is_given(self) -> bool:
        """Whether the fields behind the address are filled, or wrong: then they are shown."""
        return any(self.data.get(name) for name in self.fields if name != "email") or bool(set(self.errors) - {"email"})

    def circumstances(self) -> Circumstances:
        given = self.cleaned_data
        return Circumstances(ip=given["ip"] or "", key_id=given["key"], at=given["at"])


@dataclass(frozen=True)
class Line:
    """One rule as the page shows it."""

    name: str | Promise
    state: str
    verdict: str | Promise
    text: str
    frees_at: datetime | None


@dataclass(frozen=True)
class Verdict:
    """What would happen to one way in, now."""

    way: str | Promise
    state: str
    text: str
    frees_at: datetime | None = None


@dataclass(frozen=True)
class Happening:
    """One thing that happened, as the page shows it."""

    step: Step
    what: str
    why: str
    state: str
    where: str
    link: str
    times: str
    frees: str


def page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Raises PermissionDenied or Http404. Of what an operator may not see, nothing is said, not even that it exists."""
    if not request.user.has_perms(RIGHTS):
        raise PermissionDenied
    form = WhyForm(_asked_about(request, site) or None)
    facts: dict[str, Any] = {**site.each_context(request), "title": _("Why was this user refused?"), "form": form}
    if form.is_bound and form.is_valid():
        facts |= _answer(request, site, form)
    response = TemplateResponse(request, TEMPLATE, facts)
    response["Cache-Control"] = "no-store"
    return response


def link(row: User | Event) -> str:
    """A link to the page about this user, or about whom this event is about."""
    if row._state.adding:
        return ""
    address = reverse("admin:why_refused", query={"user" if isinstance(row, User) else "event": str(row.pk)})
    return format_html(
        '<a class="underline" href="{}">{}</a>', address, gettext("What happened, and what would happen now")
    )


def _asked_about(request: HttpRequest, site: AdminSite) -> dict[str, str]:
    """What the form begins with: what was typed, or what is known of the user or the event that a link named."""
    typed = {name: request.GET[name] for name in WhyForm.base_fields if name in request.GET}
    if typed or not {"user", "event"} & set(request.GET):
        return typed
    user = _row(request, site, User, "user")
    if user is not None:
        return {"email": user.email, "customer": str(user.customer_id)}
    event = _row(request, site, Event, "event")
    return _of_event(request, site, event) if event else {}


def _of_event(request: HttpRequest, site: AdminSite, event: Event) -> dict[str, str]:
    user = _visible(request, site, User).filter(id=event.user_id).first() if event.user_id else None
    return {
        "email": user.email if user else "",
        "customer": str(event.customer_id or ""),
        "at": event.at.strftime(AT),
        "ip": event.ip or "",
        "key": event.details.get("key_id", ""),
    }


def _row(request: HttpRequest, site: AdminSite, model: type[Any], name: str) -> Any:
    """The row that a link names, if the operator may see it. Raises Http404."""
    if name not in request.GET:
        return None
    row = _visible(request, site, model).filter(id=parse_id(request.GET[name])).first()
    if row is None:
        raise Http404
    return row


def _visible(request: HttpRequest, site: AdminSite, model: type[Any]) -> QuerySet[Any]:
    """The rows that the operator's own list of them holds: who is limited to some customers is limited here, too."""
    found: QuerySet[Any] = site.get_model_admin(model).get_queryset(request)
    return found


def _answer(request: HttpRequest, site: AdminSite, form: WhyForm) -> dict[str, Any]:
    customers, address = _visible(request, site, Customer), form.cleaned_data["email"]
    if form.cleaned_data["customer"]:
        found = subject.find_customer(customers, form.cleaned_data["customer"])
        candidates = [found] if found else []
    else:
        candidates = subject.customers_that_know(customers, address) if address else []
    if len(candidates) != 1:
        return {"nothing": not candidates, "choices": [_choice(request, customer) for customer in candidates]}
    event = _row(request, site, Event, "event") if address is None else None
    about = subject.of_event(candidates[0], event) if event else subject.of_address(candidates[0], address)
    return _told(about, form.circumstances())


def _choice(request: HttpRequest, customer: Customer) -> tuple[Customer, str]:
    query = request.GET.copy()
    query["customer"] = customer.slug
    return customer, f"?{query.urlencode()}"


def _told(about: InquirySubject, known: Circumstances) -> dict[str, Any]:
    now = timezone.now()
    foreseen = outlook.outlook(about, known)
    return {
        "about": about,
        "user_link": address_of(about.user) if about.user else "",
        "customer_link": address_of(about.customer),
        "verdicts": list(_verdicts(about, foreseen)),
        "checks": [_line(check) for check in foreseen.checks],
        "story": [_of_step(step) for step in story.story(about, known)],
        "nameless": [_of_step(step) for step in story.nameless(about, known, now)],
        "now": now,
    }


def _verdicts(about: InquirySubject, foreseen: Outlook) -> Iterator[Verdict]:
    ways = ((_("By code"), (steps.ASK_FOR_CODE, steps.GIVE_CODE)), (_("By password"), (steps.GIVE_PASSWORD,)))
    for way, needed in ways if about.address else ():
        refusal = next(filter(None, map(foreseen.first_refusal, needed)), None)
        if refusal is None:
            yield Verdict(way, OK, str(_("Nothing stands in the way now.")))
        else:
            yield Verdict(way, DANGER, refusal_texts.rule(refusal.refused_by or ""), refusal.frees_at)


def _line(check: Check) -> Line:
    state, verdict = _state(check)
    return Line(refusal_texts.CHECKED.get(check.subject, check.subject), state, verdict, _text(check), check.frees_at)


def _state(check: Check) -> tuple[str, str | Promise]:
    if check.refused_by is None:
        return OK, _("passes")
    if check.refused_by == NOT_ASKED:
        return UNKNOWN, _("not known")
    return (WARNING, _("note")) if check.hinders else (DANGER, _("refuses"))


def _text(check: Check) -> str:
    if check.refused_by == NOT_ASKED:
        return str(refusal_texts.NOT_ASKED.get(check.subject, refusal_texts.NOT_ASKED_OTHERWISE))
    if check.refused_by is not None:
        return str(refusal_texts.NOT_ASKED.get(check.subject, "")) or refusal_texts.rule(check.refused_by)
    if check.most is not None:
        return str(_("%(used)d of %(most)d")) % {"used": check.used or 0, "most": check.most}
    return _counted(check.subject, check.used or 0)


def _counted(subject: str, number: int) -> str:
    """Of what there is no limit: a number says what it counts."""
    if not number:
        return ""
    if subject == "second_factor":
        return ngettext("%d way is set up.", "%d ways are set up.", number) % number
    return ngettext("%d is on its way.", "%d are on their way.", number) % number


def _of_step(step: Step) -> Happening:
    event, details = step.event, step.event.details if step.event else {}
    row = event or step.message
    return Happening(
        step=step,
        what=refusal_texts.happened(step.name, details.get("step", "")),
        why=refusal_texts.rule(step.rule) if step.rule else step.answer,
        state={"denied": DANGER, "failure": WARNING}.get(step.outcome, OK),
        where=" · ".join(filter(None, (event.ip if event else "", details.get("key_id", ""), step.server))),
        link=address_of(row) if row else "",
        times=gettext("%d times") % step.count,
        frees=gettext("free again at %s") % details["frees_at"][11:19] if "frees_at" in details else "",
    )
