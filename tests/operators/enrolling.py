"""Operators' second factors, as an operator with an app on a phone would set one up."""

import re
from datetime import timedelta

import pyotp
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from apps.core import sealed
from apps.operators.models import AuthenticatorApp
from tests.factors.enrolling import wrong_totp

SEED = b"0123456789abcdefghij"
PAGE = "/admin/second-factor/"


def app_of(operator: User, *, confirmed: bool = True) -> AuthenticatorApp:
    device: AuthenticatorApp = AuthenticatorApp.objects.create(user=operator, confirmed=confirmed, name="TOTP")
    sealed.write(device, "seed", SEED)
    device.save()
    return device


def code_of(device: AuthenticatorApp, *, later: int = 0) -> str:
    """The code the app shows, `later` steps of half a minute from now."""
    return pyotp.TOTP(device.secret()).at(timezone.now() + timedelta(seconds=30 * later))


def wrong_code_of(device: AuthenticatorApp) -> str:
    return wrong_totp(pyotp.TOTP(device.secret()))


def enrol(browser: Client, operator: User) -> list[str]:
    """Through the page. Returns the recovery codes that it shows."""
    assert "<svg" in browser.get(PAGE).content.decode()
    device = AuthenticatorApp.objects.get(user=operator, confirmed=False)
    page = browser.post(PAGE, {"code": code_of(device)}, follow=True).content.decode()
    return re.findall(r"<li>([0-9A-Z-]{19})\s*</li>", page)
