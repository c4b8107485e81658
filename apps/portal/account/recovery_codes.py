"""Recovery codes: how many are left, and new ones."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from apps.factors import enrolled, enrolment, recovery_codes
from apps.portal.account import notices
from apps.portal.account.factor_page import show_codes
from apps.portal.account.form_page import ConfirmPage
from apps.portal.account.page import AccountPage

PAGE = "recovery-codes"


class RecoveryCodesPage(AccountPage):
    """Codes cannot be shown again: only their digests are kept."""

    template = "portal/account/recovery_codes.html"
    heading = _("Recovery codes")
    lead = _("If you lose your other factors, each of these codes lets you in once.")

    def facts(self) -> dict[str, Any]:
        return {
            "left": recovery_codes.left(self.here.user.id),
            "has_factor": enrolled.of(self.here.user.id).has_any,
        }


class EditionForm(forms.Form):
    """Which codes the user had when the page was shown: a form that is sent twice makes new codes once."""

    edition = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


class MakeCodesPage(ConfirmPage):
    form_class = EditionForm
    needs_fresh_proof = True
    back = PAGE
    heading = _("Make new recovery codes?")
    lead = _("The codes that you have now will no longer work.")
    button = _("Make new codes")

    def to_go_to_first(self, request: HttpRequest) -> HttpResponseBase | None:
        has_factor = enrolled.of(self.here.user.id).has_any
        return super().to_go_to_first(request) or (None if has_factor else self.go(PAGE))

    def initial(self) -> dict[str, Any]:
        return {"edition": recovery_codes.edition(self.here.user.id)}

    def act(self, given: dict[str, Any]) -> HttpResponse:
        codes = enrolment.replace_recovery_codes(
            self.user, edition=given["edition"], customer=self.customer, context=self.own_context
        )
        return show_codes(self, codes) if codes else self.go(PAGE, notices.CODES_MADE)
