"""The pages for a forgotten password: ask for a link, and set a new one with it."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts import recovery
from apps.core.requests import context_of
from apps.customers.state import CustomerState
from apps.portal.form_page import FormPage, TokenForm
from apps.signin import passwords
from apps.users import emails


class ForgotPasswordForm(forms.Form):
    email = forms.CharField(
        label=_("Email address"),
        max_length=320,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": ""}),
    )


class ForgotPasswordPage(FormPage):
    """Ask for a link. "This was not me" in mails leads here, too."""

    takes_forms_from_anywhere = True  # anybody may ask for a link, for any address
    form_class = ForgotPasswordForm
    heading = _("Set a new password")
    lead = _("We send you a link. With the new password you are signed out everywhere.")
    button = _("Send the link")
    done = _("If this address has an account, a link is on its way to it.")

    def act(self, request: HttpRequest, customer: CustomerState, given: dict[str, Any]) -> None:
        address = emails.parse(given["email"])
        recovery.forgot(recovery.ResetRequest(customer, customer, address, context_of(request)))


class ResetPasswordForm(TokenForm):
    password = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=passwords.LONGEST,
        help_text=_("At least 8 characters. A few words that do not belong together are easy to remember."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "minlength": passwords.SHORTEST}),
    )


class ResetPasswordPage(FormPage):
    """Set a new password with the token of the mail."""

    takes_forms_from_anywhere = True  # the token decides
    form_class = ResetPasswordForm
    heading = _("Set a new password")
    button = _("Set the password")
    done = _("Your password has been changed, and you are signed out everywhere. You can sign in with it now.")

    def act(self, request: HttpRequest, customer: CustomerState, given: dict[str, Any]) -> None:
        recovery.reset(
            recovery.PasswordReset(
                customer=customer,
                owners_too=False,
                token=given["token"],
                password=given["password"],
                context=context_of(request),
            )
        )
