"""Fixed codes. The code is written, never shown."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from unfold.widgets import UnfoldAdminPasswordWidget

from apps.core import typed_codes
from apps.core.errors import ValidationFailed
from apps.operators.context import context_of_operator
from apps.operators.pages.base import AuditedAdmin, NeverChanged, adopt
from apps.operators.pages.row_form import RowForm
from apps.otp import fixed_codes
from apps.otp.models import FixedCode
from apps.users import emails


class FixedCodeForm(RowForm[FixedCode]):
    fixed_code = forms.CharField(
        label=lazy("Code"),
        min_length=fixed_codes.SHORTEST,
        max_length=fixed_codes.LONGEST,
        widget=UnfoldAdminPasswordWidget,
    )

    class Meta:
        model = FixedCode
        fields = ("customer", "email", "valid_until")

    def clean_email(self) -> str:
        try:
            return emails.parse(self.cleaned_data["email"]).typed
        except ValidationFailed:
            raise forms.ValidationError(_("Enter an email address.")) from None

    def clean_fixed_code(self) -> str:
        code = typed_codes.read(self.cleaned_data["fixed_code"])
        if not typed_codes.is_code(code):
            raise forms.ValidationError(_("Give 4 to 10 letters or digits."))
        return code

    def clean_valid_until(self) -> Any:
        if self.cleaned_data["valid_until"] <= timezone.now():
            raise forms.ValidationError(_("This lies in the past."))
        return self.cleaned_data["valid_until"]


class FixedCodeAdmin(NeverChanged, AuditedAdmin):
    """A fixed code does not change: a new entry for the same address takes its place."""

    form = FixedCodeForm
    flows_record = True
    list_display = ("email", "customer", "valid_until")
    list_filter = ("customer",)
    list_select_related = ("customer",)
    fields = ("customer", "email", "fixed_code", "valid_until")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("customer", "email", "valid_until") if obj else self.fields

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        made = fixed_codes.add(
            customer=form.cleaned_data["customer"],
            email=form.cleaned_data["email"],
            code=form.cleaned_data["fixed_code"],
            valid_until=form.cleaned_data["valid_until"],
            context=context_of_operator(request),
        )
        adopt(row, made)

    def delete_model(self, request: HttpRequest, row: Any) -> None:
        fixed_codes.remove(row, context=context_of_operator(request))
