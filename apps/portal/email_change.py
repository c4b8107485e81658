"""The page that undoes a change of address."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts import email_undo
from apps.core.requests import context_of
from apps.customers.state import CustomerState
from apps.portal.form_page import FormPage, TokenForm


class UndoEmailChangePage(FormPage):
    """Give an account its old address back, with the token of the mail that announced the change."""

    takes_forms_from_anywhere = True  # whoever has the token may use it
    form_class = TokenForm
    heading = _("Undo the change of address")
    lead = _(
        "The account gets its old address back, and is signed out everywhere. A link to set a new password follows."
    )
    button = _("Undo the change")
    done = _("The address is what it was. A link to set a new password is on its way to it.")

    def act(self, request: HttpRequest, customer: CustomerState, given: dict[str, Any]) -> None:
        email_undo.undo(
            email_undo.UndoRequest(
                customer=customer,
                owners_too=False,
                token=given["token"],
                context=context_of(request),
            )
        )
