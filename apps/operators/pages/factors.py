"""Users' second factors in the operators' admin: what there is, never a secret; and taken away for whoever has lost a device."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from unfold.decorators import action, display

from apps.customers import state as customers
from apps.factors import removal
from apps.factors.models import Passkey, Phone, RecoveryCode, Totp
from apps.factors.removal import Removal
from apps.operators.pages.base import ReadOnlyAdmin, who


class FactorAdmin(ReadOnlyAdmin):
    """The base of these pages: a list to search by user, and one thing to do, asked about first."""

    list_select_related = ("user", "user__customer")
    search_fields = ("user__email", "user__email_identity", "user__id")
    list_filter = ("user__customer",)
    actions_detail = ("remove",)

    def has_remove_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(f"factors.delete_{self.model._meta.model_name}")

    @display(description=_("Customer"))
    def customer_of(self, row: Any) -> str:
        return str(row.user.customer)

    @action(description=_("Remove"), url_path="remove", permissions=["remove"])
    def remove(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_none(request, object_id)
        if row is None:
            return self.to_list()

        def act(_form: forms.Form) -> HttpResponse:
            customer = customers.read(row.user.customer_id)
            self.take_away(row, Removal(user=row.user, customer=customer, may_break_policy=True, **who(request)))
            self.message_user(request, _("Removed. The user is told by mail."))
            return self.to_list()

        return self.ask_first(
            request,
            row,
            title=_("Remove this factor of %s?") % row.user.email,
            explanation=[
                _("The user can no longer sign in with it, and is told by mail. It has to be enrolled anew."),
                _("Be sure that it is the user who asks: this is how a second factor is got around."),
            ],
            button=_("Remove"),
            act=act,
        )

    def take_away(self, row: Any, by: Removal) -> None:
        """Remove the factor that the row stands for. Raises NotFound."""
        raise NotImplementedError


@admin.register(Totp)
class AppAdmin(FactorAdmin):
    list_display = ("user", "customer_of", "confirmed", "confirmed_at")
    fields = ("user", "customer_of", "created_at", "confirmed_at")
    readonly_fields = ("customer_of",)

    @display(description=_("Confirmed"), boolean=True)
    def confirmed(self, row: Totp) -> bool:
        return row.confirmed_at is not None

    def take_away(self, row: Totp, by: Removal) -> None:
        removal.remove_app(by)


@admin.register(Phone)
class PhoneAdmin(FactorAdmin):
    list_display = ("user", "customer_of", "hint", "confirmed_at")
    fields = ("user", "customer_of", "hint", "created_at", "confirmed_at")
    readonly_fields = ("customer_of",)

    def take_away(self, row: Phone, by: Removal) -> None:
        removal.remove_phone(by)


@admin.register(Passkey)
class PasskeyAdmin(FactorAdmin):
    list_display = ("name", "user", "customer_of", "state", "created_at", "last_used_at")
    fields = ("name", "user", "customer_of", "state", "backed_up", "transports", "aaguid", "created_at", "last_used_at")
    readonly_fields = ("customer_of", "state")

    @display(description=_("State"), label={"works": "success", "suspected copy": "danger"})
    def state(self, row: Passkey) -> str:
        return "suspected copy" if row.suspected_clone_at else "works"

    def take_away(self, row: Passkey, by: Removal) -> None:
        removal.remove_passkey(by, row.id)


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(FactorAdmin):
    list_display = ("user", "customer_of", "created_at", "used_at")
    fields = ("user", "customer_of", "created_at", "used_at")
    readonly_fields = ("customer_of",)

    def take_away(self, row: RecoveryCode, by: Removal) -> None:
        removal.remove_recovery_codes(by)
