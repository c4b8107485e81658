"""Where the user is signed in, and signing out there."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from apps.core.ids import parse_id
from apps.oauth.models import RegisteredClient
from apps.portal.account import notices
from apps.portal.account.form_page import AccountFormPage, ConfirmPage
from apps.tokens import devices, sessions
from apps.tokens.models import EndReason, Session

MOST_SHOWN = 100


class SessionForm(forms.Form):
    session = forms.UUIDField(widget=forms.HiddenInput)


class SessionsPage(AccountFormPage):
    """Lists the living sessions. Any of them can be ended here; the browser's own ends by signing out."""

    template = "portal/account/sessions.html"
    form_class = SessionForm
    heading = _("Where you are signed in")
    lead = _("Sign out a device that you do not know or no longer use. It has to sign in again then.")

    def facts(self) -> dict[str, Any]:
        latest_first = list(self.living_sessions().order_by("-last_activity_at", "-id")[:MOST_SHOWN])
        apps = self._apps_of(latest_first)
        rows = [self._describe(row, apps) for row in latest_first]
        return {"sessions": sorted(rows, key=lambda row: not row["is_here"])}

    def act(self, given: dict[str, Any]) -> HttpResponse:
        sessions.end_one(
            customer_id=self.customer.id,
            user_id=self.here.user.id,
            session_id=given["session"],
            reason=EndReason.REVOKED,
            context=self.own_context,
        )
        if given["session"] == self.session_id:
            return self.signed_out()
        return self.go("sessions", notices.SESSION_ENDED)

    def _describe(self, row: Session, apps: Mapping[str, str]) -> dict[str, Any]:
        return {
            "row": row,
            "device": devices.name_of(row.user_agent),
            "app": apps.get(row.oauth_client_id, ""),
            "is_here": row.id == self.session_id,
        }

    def _apps_of(self, rows: Iterable[Session]) -> dict[str, str]:
        """The names of the registered clients that these sessions began for, by their `client_id`."""
        ids = {found for row in rows if (found := parse_id(row.oauth_client_id))}
        clients = RegisteredClient.objects.of(self.customer.id).filter(id__in=ids) if ids else ()
        return {client.client_id: client.name for client in clients}


class EndOtherSessionsPage(ConfirmPage):
    heading = _("Sign out everywhere else?")
    lead = _("All devices and apps but this browser are signed out at once.")
    button = _("Sign out everywhere else")
    back = "sessions"

    def act(self, given: dict[str, Any]) -> HttpResponse:
        sessions.end_all(
            customer_id=self.customer.id,
            user_id=self.here.user.id,
            except_for=self.session_id,
            reason=EndReason.REVOKED,
            context=self.own_context,
        )
        return self.go("sessions", notices.OTHERS_ENDED)
