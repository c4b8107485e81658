"""Phones to which users get codes by SMS."""

from apps.factors import removal
from apps.factors.models import Phone
from apps.factors.removal import Removal
from apps.operators.pages.factor import FactorAdmin


class PhoneAdmin(FactorAdmin):
    list_display = ("user", "customer_of", "hint", "confirmed_at")
    fields = ("user", "customer_link", "hint", "created_at", "confirmed_at")
    readonly_fields = ("customer_link",)

    def take_away(self, factor: Phone, by: Removal) -> None:
        removal.remove_phone(by)
