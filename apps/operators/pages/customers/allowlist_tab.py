"""A customer's IP allowlist: which networks, whether one address would be let in, and who would be locked out by a change."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.core import client_address, requests
from apps.operators.pages.customers import networks
from apps.operators.pages.customers.networks import Networks
from apps.operators.pages.customers.visit import Visit

MOST_SHOWN = 100  # rows of the list: whoever has more finds one by trying an address


class TriedAddressForm(forms.Form):
    address = forms.CharField(
        label=lazy("Would this address be let in?"),
        max_length=64,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_address(self) -> client_address.Address:
        found = client_address.parse(self.cleaned_data["address"])
        if found is None:
            raise forms.ValidationError(_("This is no IP address."))
        return found


def facts(visit: Visit) -> dict[str, Any]:
    found = networks.of(visit)
    asked = TriedAddressForm(visit.request.GET if "address" in visit.request.GET else None)
    answer = _answer(found, asked.cleaned_data["address"]) if asked.is_valid() else None
    mine = requests.address_of(visit.request) or ""
    return {
        "networks": _shown(found, answer),
        "left_out": max(len(found) - MOST_SHOWN, 0),
        "asked": asked,
        "answer": answer,
        "mine": mine,
        "mine_is_in": not found or bool(networks.row_for(found, mine)),
        "add": networks.NetworkForm(),
    }


def change(visit: Visit) -> HttpResponse:
    """Add a network, or remove one. Raises Unconfirmed where that locks out who called lately."""
    posted = visit.request.POST
    if "remove" in posted:
        return _back(visit, is_changed=networks.replace(visit, {}, without=posted["remove"]))
    form = networks.NetworkForm(posted)
    if form.is_valid():
        return _back(visit, is_changed=networks.replace(visit, form.networks))
    response: HttpResponse = visit.page.show_tab(visit, "allowlist", add=form)
    return response


def _back(visit: Visit, *, is_changed: bool) -> HttpResponse:
    said = _("The allowlist is changed. It counts from now on.") if is_changed else _("Nothing was changed.")
    return visit.back_to("allowlist", said)


def _answer(rows: Networks, address: client_address.Address) -> dict[str, Any]:
    row = networks.row_for(rows, str(address))
    note = rows.get(row, "")
    return {"address": str(address), "is_in": not rows or bool(row), "row": row, "note": note, "any": not rows}


def _shown(rows: Networks, answer: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """The first of the list. The row that has the address which was tried is among them."""
    tried = answer["row"] if answer else ""
    found = sorted(rows.items(), key=lambda row: row[0] != tried) if len(rows) > MOST_SHOWN else rows.items()
    return list(found)[:MOST_SHOWN]
