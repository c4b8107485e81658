"""Pages of the account with one form, those that only ask whether one is sure, and those that take a code that was sent."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import Promise

from apps.core.errors import AuthenticationError, GatehouseError, ValidationFailed
from apps.portal.account import notices
from apps.portal.account.forms import Nothing, OneCodeForm
from apps.portal.account.page import AccountPage
from apps.portal.form_page import explain, focus_on_fault
from apps.portal.sign_in import texts

AGAIN = "again"  # the name of the button that has another code sent


class AccountFormPage(AccountPage):
    """Shows a form, checks it, and acts on it. A subclass says what the form is, and does what it is for."""

    template = "portal/account/form.html"
    form_class: ClassVar[type[Form]]
    button: ClassVar[str | Promise] = ""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self.page(form=self.form())

    def page(self, *, error: GatehouseError | None = None, **more: Any) -> HttpResponse:
        return super().page(error=error, **{"button": self.button, **more})

    def post(self, request: HttpRequest) -> HttpResponseBase:
        form = self.form(request.POST)
        if not form.is_valid():
            focus_on_fault(form)
            return self.page(form=form, error=ValidationFailed())
        return self.attempt(form, lambda: self.act(form.cleaned_data))

    def form(self, given: Any = None) -> Form:
        """The form: with what was given, or with what there is."""
        return self.form_class(given, initial=self.initial(), label_suffix="")

    def initial(self) -> dict[str, Any]:
        return {}

    def act(self, given: dict[str, Any]) -> HttpResponse:
        """Do what the page is for, and lead on. Raises GatehouseError."""
        raise NotImplementedError

    @property
    def wait(self) -> int:
        """Seconds until another code can be sent, on the page that follows the sending."""
        return self.customer.code_resend_after if notices.is_waiting(self.request, notices.CODE_SENT) else 0

    def attempt(self, form: Form, do: Callable[[], HttpResponse]) -> HttpResponse:
        """What `do` answers; or the form, with what stands in the way."""
        try:
            return do()
        except AuthenticationError:  # nobody is signed in any more
            raise
        except GatehouseError as error:
            if form.is_bound:
                _explain(form, error)
            return self.page(form=form, error=error, fault="" if form.is_bound else texts.explained(error))


def _explain(form: Form, error: GatehouseError) -> None:
    """At the field that it is about; else above all, with when to come back."""
    if error.fields:
        explain(form, error)
    else:
        form.add_error(None, texts.explained(error))
        focus_on_fault(form)


class ConfirmPage(AccountFormPage):
    """Asks whether one is sure, with a way back."""

    template = "portal/account/confirm.html"
    form_class: ClassVar[type[Form]] = Nothing


class SentCodePage(AccountFormPage):
    """Takes a code that was sent to a new address or number. Another can be sent there; reloading sends none."""

    template = "portal/account/sent_code.html"
    needs_fresh_proof = True
    begins_at: ClassVar[str]  # where address or number are given

    def form(self, given: Any = None) -> Form:
        return OneCodeForm(given, label_suffix="").for_codes_of(self.customer.code_alphabet)

    def sent_to(self) -> str | None:
        """The address or number that waits for its code."""
        raise NotImplementedError

    def send(self, to: str) -> None:
        """Send a code there. Raises GatehouseError."""
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        return {
            "sent_to": self.sent_to(),
            "wait": self.wait,
            "begin": self.place(self.begins_at),
        }

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return super().get(request) if self.sent_to() else self.go(self.back)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        to = self.sent_to()
        if to is None:  # confirmed a moment ago, perhaps by this very form
            return self.go(self.back)
        return self.attempt(self.form(), lambda: self._again(to)) if AGAIN in request.POST else super().post(request)

    def _again(self, to: str) -> HttpResponse:
        self.send(to)
        return self.go(f"{self.back}/confirm", notices.CODE_SENT)
