"""The password: changed with the present one, or set by a user who has none."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from apps.accounts import password_change
from apps.portal.account import notices
from apps.portal.account.form_page import AccountFormPage
from apps.portal.account.forms import password_field
from apps.signin import passwords

PAGE = "password"
NEW = _("New password")
ADVICE = _("At least 8 characters. A few words that do not belong together are easy to remember.")


class ChangePasswordForm(forms.Form):
    current = password_field(label=_("Present password"))
    password = password_field(label=NEW, help_text=ADVICE, is_new=True)


class FirstPasswordForm(forms.Form):
    password = password_field(label=NEW, help_text=ADVICE, is_new=True)


class PasswordPage(AccountFormPage):
    """The present password is proof enough."""

    template = "portal/account/password.html"
    form_class = ChangePasswordForm
    heading = _("Change your password")
    lead = _("You stay signed in here, and are signed out everywhere else.")
    button = _("Change the password")

    def to_go_to_first(self, request: HttpRequest) -> HttpResponseBase | None:
        return super().to_go_to_first(request) or (
            None if passwords.exists(self.here.user.id) else self.go(f"{PAGE}/first")
        )

    def act(self, given: dict[str, Any]) -> HttpResponse:
        password_change.change(
            password_change.PasswordChange(
                customer=self.customer,
                user=self.user,
                session_id=self.session_id,
                current=given["current"],
                password=given["password"],
                context=self.own_context,
            )
        )
        return self.go(notice=notices.PASSWORD_CHANGED)


class FirstPasswordPage(AccountFormPage):
    form_class = FirstPasswordForm
    needs_fresh_proof = True
    heading = _("Set a password")
    lead = _("Your account has no password yet. You stay signed in here, and are signed out everywhere else.")
    button = _("Set the password")

    def to_go_to_first(self, request: HttpRequest) -> HttpResponseBase | None:
        return super().to_go_to_first(request) or (self.go(PAGE) if passwords.exists(self.here.user.id) else None)

    def act(self, given: dict[str, Any]) -> HttpResponse:
        password_change.set_first(
            password_change.FirstPassword(
                customer=self.customer,
                user=self.user,
                session_id=self.session_id,
                password=given["password"],
                context=self.own_context,
            )
        )
        return self.go(notice=notices.PASSWORD_SET)
