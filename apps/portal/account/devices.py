"""Browsers that are not asked for the second factor, and how to have them asked again."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from apps.portal.account import notices
from apps.portal.account.form_page import AccountFormPage, ConfirmPage
from apps.signin import remembered_devices

PAGE = "devices"


class DeviceForm(forms.Form):
    device = forms.UUIDField(widget=forms.HiddenInput)


class DevicesPage(AccountFormPage):
    template = "portal/account/devices.html"
    form_class = DeviceForm
    heading = _("Remembered devices")
    lead = _("They are not asked for the second factor for a while.")

    def facts(self) -> dict[str, Any]:
        return {"devices": remembered_devices.living(self.user, customer=self.customer, now=self.context.now)}

    def act(self, given: dict[str, Any]) -> HttpResponse:
        remembered_devices.forget(self.user, given["device"], customer=self.customer, context=self.own_context)
        return self.go(PAGE, notices.DEVICE_FORGOTTEN)


class ForgetDevicesPage(ConfirmPage):
    heading = _("Forget all remembered devices?")
    lead = _("All devices will be asked for the second factor at the next sign-in.")
    button = _("Forget all")
    back = PAGE

    def act(self, given: dict[str, Any]) -> HttpResponse:
        remembered_devices.forget_all(self.user, customer=self.customer, context=self.own_context)
        return self.go(PAGE, notices.DEVICES_FORGOTTEN)
