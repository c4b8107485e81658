"""Users' authenticator apps."""

from apps.factors import removal
from apps.factors.models import Totp
from apps.factors.removal import Removal
from apps.operators.pages.factor import FactorAdmin


class AuthenticatorAppAdmin(FactorAdmin):
    list_display = ("user", "customer_of", "confirmed_at")
    fields = ("user", "customer_link", "created_at", "confirmed_at")
    readonly_fields = ("customer_link",)

    def take_away(self, factor: Totp, by: Removal) -> None:
        removal.remove_app(by)
