"""Enrolling as a client does it, and codes that an app does not show."""

from datetime import timedelta
from itertools import count

import pyotp
from django.utils import timezone

from demo.client import Answer, Client
from tests.factors.authenticator import Authenticator


def enrol_passkey(client: Client, token: str, device: Authenticator, **fields: object) -> Answer:
    options = client.post("/api/auth/2fa/passkeys/options", {}, token=token)
    assert options.status == 200, options.document
    document = {"credential": device.create(options.document), **fields}
    return client.post("/api/auth/2fa/passkeys", document, token=token)


def wrong_totp(app: pyotp.TOTP) -> str:
    """Six digits that the app shows neither now nor in the minutes around: any that are made up may be right by chance."""
    now = timezone.now()
    shown = {app.at(now + timedelta(seconds=30 * step)) for step in range(-4, 5)}
    return next(code for code in (f"{number:06}" for number in count()) if code not in shown)
