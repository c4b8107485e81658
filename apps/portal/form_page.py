"""A page with one form: shown, checked, and acted on."""

from typing import Any, ClassVar

from django import forms
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.reset_links import LONGEST_TOKEN
from apps.core.errors import GatehouseError, ValidationFailed
from apps.customers.state import CustomerState
from apps.portal import places
from apps.portal.page import CustomerPage


class FormPage(CustomerPage):
    """One customer's page with one form. A subclass says what the form is, and does what it is for."""

    form_class: ClassVar[type[Form]]
    heading: ClassVar[str | Promise]
    lead: ClassVar[str | Promise] = ""
    button: ClassVar[str | Promise]
    done: ClassVar[str | Promise]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(request, form=self.form_class(label_suffix=""))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form_class(request.POST, label_suffix="")
        if not form.is_valid():
            focus_on_fault(form)
            return self._show(request, form=form, error=ValidationFailed())
        try:
            self.act(request, self.customer, form.cleaned_data)
        except GatehouseError as error:
            explain(form, error)
            return self._show(request, form=form, error=error)
        return self._show(request, done=self.done)

    def act(self, request: HttpRequest, customer: CustomerState, given: dict[str, Any]) -> None:
        """Do what the page is for. Raises GatehouseError."""
        raise NotImplementedError

    def _show(self, request: HttpRequest, *, error: GatehouseError | None = None, **facts: Any) -> HttpResponse:
        query = f"?{request.GET.urlencode()}" if request.GET else ""  # of the app that sent the user to sign in
        texts = {"heading": self.heading, "lead": self.lead, "button": self.button}
        return self.show(request, error=error, sign_in=f"{places.sign_in(self.customer)}{query}", **{**texts, **facts})


class TokenForm(forms.Form):
    """The token stands in the link's fragment. page.js moves it here; without scripts people paste it."""

    token = forms.CharField(
        label=_("The code at the end of the link in the mail, after “token=”"),
        max_length=LONGEST_TOKEN,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "data-token": ""}),
    )


def explain(form: Form, error: GatehouseError) -> None:
    """What went wrong, at the field that it is about."""
    for name, texts in (error.fields or {}).items():
        for text in texts:
            form.add_error(name if name in form.fields else None, text)
    if not error.fields:
        form.add_error(None, str(error.text))
    focus_on_fault(form)


def focus_on_fault(form: Form) -> None:
    """The first field that is wrong has the focus when the page is shown, with or without scripts."""
    for field in form.fields.values():
        field.widget.attrs.pop("autofocus", None)
    wrong = next((name for name in form.fields if name in form.errors), None) or next(iter(form.fields), None)
    if wrong:
        form.fields[wrong].widget.attrs["autofocus"] = ""
