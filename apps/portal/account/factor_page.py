"""What pages that add or remove a factor have in common."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.factors import enrolled as enrolled_now
from apps.factors.removal import Removal
from apps.portal.account import notices
from apps.portal.account.form_page import ConfirmPage
from apps.portal.account.page import AccountPage


def enrolled(page: AccountPage, recovery_codes: tuple[str, ...], notice: str) -> HttpResponse:
    """The factor is enrolled. With a first one come recovery codes, which are shown now and never again."""
    if not recovery_codes:
        return page.go(page.back, notice)
    return show_codes(page, recovery_codes, notices.TEXTS[notice])


def show_codes(page: AccountPage, recovery_codes: tuple[str, ...], notice: str | Promise = "") -> HttpResponse:
    """The answer to the form itself: codes are kept nowhere to be shown on a page of their own."""
    return page.page(
        template="portal/account/shown_codes.html",
        heading=_("Your recovery codes"),
        lead="",
        codes=recovery_codes,
        notice=notice,
    )


class RemovePage(ConfirmPage):
    """Removing a factor asks first. `method`: its kind."""

    method: ClassVar[str]
    needs_fresh_proof = True
    button = _("Remove")

    def to_go_to_first(self, request: HttpRequest) -> HttpResponseBase | None:
        is_there = self.method in enrolled_now.of(self.here.user.id).held
        return super().to_go_to_first(request) or (None if is_there else self.go(self.back))

    def act(self, given: dict[str, Any]) -> HttpResponse:
        self.remove(Removal(user=self.user, customer=self.customer, context=self.own_context))
        return self.go(self.back, notices.FACTOR_REMOVED)

    def remove(self, wanted: Removal) -> None:
        """Raises NotFound or SecondFactorRequired."""
        raise NotImplementedError
