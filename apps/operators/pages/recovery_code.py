"""Users' recovery codes: how many there are and when they were used. Removed all together."""

from apps.factors import removal
from apps.factors.models import RecoveryCode
from apps.factors.removal import Removal
from apps.operators.pages.factor import FactorAdmin


class RecoveryCodeAdmin(FactorAdmin):
    list_display = ("user", "customer_of", "created_at", "used_at")
    fields = ("user", "customer_link", "created_at", "used_at")
    readonly_fields = ("customer_link",)

    def take_away(self, factor: RecoveryCode, by: Removal) -> None:
        removal.remove_recovery_codes(by)
