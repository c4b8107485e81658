"""How a customer's mails and pages look: a preview of what is saved, and a test mail by the real queue."""

import re
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from unfold.widgets import UnfoldAdminEmailInputWidget

from apps.core import colours
from apps.core.errors import ValidationFailed
from apps.core.rate_limits import Limit
from apps.customers import sample_mail, state
from apps.mail import content
from apps.mail.content import Branding
from apps.operators.context import context_of_operator, operator_of
from apps.operators.pages.customers.visit import Visit
from apps.operators.sign_in import attempt_counter
from apps.users import emails
from apps.users.emails import Address

EXAMPLE = {"code": "123456", "spelled_code": "1 2 3 4 5 6"}
TESTS = Limit("operator_test_mail", 20, 60 * 60)
PICTURE = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?")


class SampleMailForm(forms.Form):
    email = forms.CharField(
        label=lazy("Send a test mail to"),
        max_length=emails.LONGEST,
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )

    def clean_email(self) -> Address:
        try:
            return emails.parse(self.cleaned_data["email"])
        except ValidationFailed:
            raise forms.ValidationError(_("Enter an email address.")) from None


def facts(visit: Visit) -> dict[str, Any]:
    brand = state.read_anew(visit.customer.id).branding
    language = _language(visit)
    minutes = visit.customer.code_lifetime // 60 or 1
    mail = content.render(kind="sign_in_code", locale=language, branding=brand, facts={**EXAMPLE, "minutes": minutes})
    colour = brand.colour if content.COLOUR.fullmatch(brand.colour) else content.DEFAULT_COLOUR
    return {
        "brand": brand,
        "mail": mail,
        "language": language,
        "languages": settings.LANGUAGES,
        "colours": colours.of_page(colour),
        "picture_origin": _picture_origin(brand),
        "test": SampleMailForm(initial={"email": getattr(visit.request.user, "email", "")}),
    }


def send_test(visit: Visit) -> HttpResponse:
    if not visit.may_change:
        raise PermissionDenied
    form = SampleMailForm(visit.request.POST)
    if form.is_valid() and _is_too_many(visit):
        form.add_error(None, _("You have sent many test mails. Try again in an hour."))
    if form.is_valid():
        address = form.cleaned_data["email"].typed
        sample_mail.send(visit.customer, address, language=_language(visit), context=context_of_operator(visit.request))
        return visit.back_to("branding", _("The test mail to %s is on its way.") % address, "test-mail")
    response: HttpResponse = visit.page.show_tab(visit, "branding", test=form)
    return response


def _picture_origin(brand: Branding) -> str:
    """Where the logo is, as a Content-Security-Policy may name it."""
    parts = urlsplit(brand.logo_url)
    origin = f"{parts.scheme}://{parts.netloc.lower()}"
    return origin if PICTURE.fullmatch(origin) else ""


def _language(visit: Visit) -> str:
    asked = visit.request.GET.get("language", "")
    return asked if asked in dict(settings.LANGUAGES) else visit.customer.default_locale


def _is_too_many(visit: Visit) -> bool:
    counted = attempt_counter.count({TESTS: (str(operator_of(visit.request).pk),)})
    return counted.over(TESTS)
