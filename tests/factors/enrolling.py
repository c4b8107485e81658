"""Enrolling as a client does it."""

from demo.client import Answer, Client
from tests.factors.authenticator import Authenticator


def enrol_passkey(client: Client, token: str, device: Authenticator, **fields: object) -> Answer:
    options = client.post("/api/auth/2fa/passkeys/options", {}, token=token)
    assert options.status == 200, options.document
    document = {"credential": device.create(options.document), **fields}
    return client.post("/api/auth/2fa/passkeys", document, token=token)
