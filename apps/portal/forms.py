"""What the pages ask for."""

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.reset_links import LONGEST_TOKEN
from apps.signin import passwords


class TokenForm(forms.Form):
    """The token comes in the link's fragment, which page.js moves here; without scripts it is pasted."""

    token = forms.CharField(
        label=_("The code at the end of the link in the mail, after “token=”"),
        max_length=LONGEST_TOKEN,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "data-token": ""}),
    )


class ResetPasswordForm(TokenForm):
    password = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=passwords.LONGEST,
        help_text=_("At least 8 characters. A few words that do not belong together are easy to remember."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "minlength": passwords.SHORTEST}),
    )


class ForgotPasswordForm(forms.Form):
    email = forms.CharField(
        label=_("Email address"),
        max_length=320,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": ""}),
    )


class UndoEmailChangeForm(TokenForm):
    """Nothing but the token."""
