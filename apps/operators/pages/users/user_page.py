"""A user as one place: what is known of it beside its own row, the newest few of each, and where all of them are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts import mails
from apps.audit import sentences
from apps.audit.models import Event
from apps.core import actors
from apps.customers.models import Customer
from apps.factors import overview
from apps.factors.models import Passkey, Phone, RecoveryCode, Totp
from apps.mail.models import Message
from apps.operators import refusal_texts, words
from apps.operators.pages.audit import event_names, why_refused
from apps.operators.pages.users import user_verdict
from apps.operators.questions import address_of
from apps.tokens import devices
from apps.tokens.models import Session
from apps.users import roles, state
from apps.users.models import Role, User

MOST = 5
MOST_EVENTS = 8
MOST_RIGHTS = 12
OK, WARNING, DANGER, PLAIN = "success", "warning", "danger", "info"
STATES = {"sent": OK, "failed": DANGER, "suppressed": WARNING, "denied": DANGER, "failure": WARNING}


@dataclass(frozen=True)
class Row:
    """One thing, and its page if it has one. `at` in UTC."""

    text: str
    url: str = ""
    note: str = ""
    at: datetime | None = None
    label: str | Promise = ""
    state: str = PLAIN


@dataclass(frozen=True)
class UserSection:
    """The newest rows of one kind. `empty`: what is said if there are none; `everything`: the address of the whole list."""

    slug: str
    title: str
    rows: list[Row]
    empty: str
    everything: str = ""


def facts(request: HttpRequest, site: AdminSite, user: User) -> dict[str, Any]:
    """What the page is given: of each kind that the operator may see, and as far as the operator's own lists show it."""
    seen = _Seen(request, site, user)
    return {
        "person": user,
        "verdict": user_verdict.of(user),
        "now": timezone.now(),
        "why_link": why_refused.link(user) if request.user.has_perms(why_refused.RIGHTS) else "",
        "customer_link": address_of(user.customer) if seen.may_see(Customer) else "",
        "sections": list(seen.sections()),
    }


@dataclass(frozen=True)
class _Naming:
    """How events name this user and its customer on the page, where both are known."""

    known: User

    def actor(self, actor: str) -> str:
        return _("The user") if actor == actors.user(self.known.id) else event_names.kind_of_actor(actor)

    def customer(self, customer_id: UUID) -> str:
        return self.known.customer.name if customer_id == self.known.customer_id else str(customer_id)

    def user(self, user_id: UUID) -> str:
        return self.known.email if user_id == self.known.id else str(user_id)

    def rule(self, name: str) -> str:
        return refusal_texts.rule(name)

    def step(self, name: str) -> str:
        return str(refusal_texts.STEPS.get(name, name))


@dataclass(frozen=True)
class _Seen:
    """A user, as this operator may see it. The number of queries does not depend on how much there is."""

    request: HttpRequest
    site: AdminSite
    user: User

    def sections(self) -> Iterator[UserSection]:
        if self.may_see(Session):
            yield self._sessions()
        if self.may_see(Totp, Phone, Passkey, RecoveryCode):
            yield self._factors()
        if self.may_see(Message):
            yield self._mails()
        if self.may_see(Event):
            yield self._events()
        yield self._rights()

    def may_see(self, *models: type[Model]) -> bool:
        return all(self.site.get_model_admin(model).has_view_permission(self.request) for model in models)

    def _visible(self, model: type[Any]) -> Any:
        """The rows of this user's customer that the operator's own list holds: a query of the model's own kind."""
        rows: Any = self.site.get_model_admin(model).get_queryset(self.request)
        return rows.of(self.user.customer_id)

    def _sessions(self) -> UserSection:
        alive = self._visible(Session).filter(user_id=self.user.id).alive(timezone.now())
        rows = [
            Row(
                devices.name_of(session.user_agent),
                address_of(session),
                session.ip or "",
                session.last_activity_at,
            )
            for session in alive.order_by("-last_activity_at", "-id")[:MOST]
        ]
        everything = _list("tokens_session", user__id__exact=self.user.id)
        return UserSection("sessions", _("Living sessions"), rows, _("Signed in nowhere."), everything)

    def _factors(self) -> UserSection:
        return UserSection(
            "factors", _("Ways to prove who it is"), list(_of_factors(self.user)), _("None but the mailbox.")
        )

    def _mails(self) -> UserSection:
        mine = self._visible(Message).filter(id__in=mails.of(self.user).values("id"))
        rows = [
            Row(
                words.kind_of_mail(mail.kind),
                address_of(mail),
                mail.last_error,
                mail.created_at,
                mail.get_state_display(),
                STATES.get(mail.state, PLAIN),
            )
            for mail in mine.order_by("-created_at", "-id")[:MOST]
        ]
        return UserSection(
            "mails", _("Mails"), rows, _("Nothing was sent."), _list("mail_message", user_id=self.user.id)
        )

    def _events(self) -> UserSection:
        newest = self._visible(Event).filter(user_id=self.user.id).order_by("-at", "-id")[:MOST_EVENTS]
        rows = [
            Row(
                sentences.as_text(event, _Naming(self.user)),
                address_of(event),
                event.ip or "",
                event.at,
                "" if event.outcome == "success" else event.get_outcome_display(),
                STATES.get(event.outcome, OK),
            )
            for event in newest
        ]
        everything = _list("audit_event", user_id=self.user.id)
        return UserSection("events", _("What happened"), rows, _("Nothing was noted."), everything)

    def _rights(self) -> UserSection:
        """What counts now: nothing of it while the account waits or is closed."""
        now = state.of(self.user)
        made = roles.read(self.user.customer_id) is not None
        given = [Row(name) for name in now.permissions[:MOST_RIGHTS]]
        role = Row(now.role, note=_("role"), label="" if now.is_active else _("does not count now"), state=WARNING)
        more = len(now.permissions) - len(given)
        rest = [Row(ngettext("%d permission more", "%d permissions more", more) % more)] if more else []
        everything = (
            _list("users_role", customer__id__exact=self.user.customer_id) if made and self.may_see(Role) else ""
        )
        return UserSection("rights", _("Role and permissions"), [role, *given, *rest], "", everything)


def _of_factors(user: User) -> Iterator[Row]:
    found = overview.of(user)
    password = getattr(user, "password", None)
    if password is not None:
        yield Row(_("Password"), at=password.set_at)
    if found.app_since is not None:
        yield Row(_("Authenticator app"), at=found.app_since)
    if found.phone is not None:
        yield Row(_("Phone"), address_of(found.phone), found.phone.hint, found.phone.confirmed_at)
    yield from _of_passkeys(found.passkeys)
    if found.recovery_codes_left:
        left = found.recovery_codes_left
        yield Row(ngettext("%d recovery code left", "%d recovery codes left", left) % left)


def _of_passkeys(passkeys: Iterable[Passkey]) -> Iterator[Row]:
    for passkey in passkeys:
        copied = passkey.suspected_clone_at is not None
        yield Row(
            passkey.name or _("Passkey"),
            address_of(passkey),
            _("passkey"),
            passkey.last_used_at or passkey.created_at,
            _("suspected copy") if copied else "",
            DANGER,
        )


def _list(name: str, **query: Any) -> str:
    return reverse(f"admin:{name}_changelist", query={column: str(value) for column, value in query.items()})
