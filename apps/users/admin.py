"""End users in the operators' admin. What is changed takes effect on the user's next request."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from unfold.decorators import action, display

from apps.audit.admin_base import AuditedAdmin, who
from apps.core.errors import ValidationFailed
from apps.users import directory, emails, lifecycle
from apps.users.models import User


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("customer", "email", "name", "locale", "role", "permissions", "status")
        help_texts = {"permissions": 'Names, as JSON: ["invoices.read"]. Those of the role need not be repeated.'}

    def clean_permissions(self) -> list[str]:
        permissions = self.cleaned_data["permissions"] or []
        if not isinstance(permissions, list) or not all(isinstance(name, str) for name in permissions):
            raise forms.ValidationError(_("Give a list of names."))
        return permissions

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance._state.adding and cleaned.get("email") and cleaned.get("customer"):
            try:
                address = emails.parse(cleaned["email"])
            except ValidationFailed:
                raise forms.ValidationError({"email": _("Enter an email address.")}) from None
            if directory.find(cleaned["customer"].id, address.identity):
                raise forms.ValidationError({"email": _("This customer has such a user already.")})
            self.instance.email_identity = address.identity
        return cleaned


@admin.register(User)
class UserAdmin(AuditedAdmin):
    form = UserForm
    records_itself = True
    list_display = ("email", "customer", "role", "state", "last_sign_in_at", "wrong_codes")
    list_filter = ("status", "role", "customer")
    list_select_related = ("customer",)
    search_fields = ("email_identity", "name", "id")
    readonly_fields = ("id", "has_phone", "email_verified_at", "created_at", "last_sign_in_at", "wrong_codes")
    actions_detail = ("clear_wrong_codes",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*UserForm.Meta.fields, *self.readonly_fields) if obj else UserForm.Meta.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "customer", "email") if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deactivate instead; erasure is the user's own."""
        return False

    def save_model(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            if changes:
                lifecycle.change(row, changes=changes, **who(request))
        else:
            lifecycle.register(row, **who(request))

    @display(description=_("Status"), label={"active": "success", "pending": "warning", "deactivated": "danger"})
    def state(self, row: User) -> str:
        return row.status

    @display(description=_("Phone"))
    def has_phone(self, row: User) -> str:
        return _("on file") if row.phone else _("none")

    @action(description=_("Clear wrong codes"), url_path="clear-wrong-codes", permissions=["change"])
    def clear_wrong_codes(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_none(request, object_id)
        if row is None:
            return self.to_list()

        def act(_form: forms.Form) -> str:
            lifecycle.clear_wrong_codes(row, **who(request))
            return _("Codes are open to this user again.")

        return self.ask_first(
            request,
            row,
            title=_("Open codes to %s again?") % row.email,
            explanation=[
                _("%d wrong codes in a row were given for this account. The count starts anew.") % row.wrong_codes
            ],
            button=_("Clear"),
            act=act,
        )
