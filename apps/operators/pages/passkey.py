"""Users' passkeys."""

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from unfold.decorators import display

from apps.factors import removal
from apps.factors.models import Passkey
from apps.factors.removal import Removal
from apps.operators import words
from apps.operators.lists.labels import Label
from apps.operators.pages.factor import FactorAdmin


class PasskeyAdmin(FactorAdmin):
    list_display = ("name", "user", "customer_of", "state", "created_at", "last_used_at")
    fields = ("name", "user", "customer_link", "state", "backed_up", "ways", "aaguid", "created_at", "last_used_at")
    readonly_fields = ("customer_link", "state", "ways")

    @display(description=lazy("State"), label={"works": "success", "copied": "danger"})
    def state(self, row: Passkey) -> Label:
        return Label("copied", _("suspected copy")) if row.suspected_clone_at else Label("works", _("works"))

    @display(description=capfirst(words.COLUMNS["transports"]))
    def ways(self, row: Passkey) -> str:
        return ", ".join(row.transports)

    def take_away(self, factor: Passkey, by: Removal) -> None:
        removal.remove_passkey(by, factor.id)
