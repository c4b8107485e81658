"""What a native app calls to make a passkey and to sign in with it. This script stands in the place of an Android app.

    .venv/bin/python docs/examples/native/app.py ada@example.com

An app asks the phone (Credential Manager) for what is asked of `phone` here, and passes options and answers on as they are.
"""

import json
import os
import sys
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT))

from demo.client import Answer, Client, over_http  # noqa: E402  (of this repository: no package to install)
from tests.factors.authenticator import Authenticator  # noqa: E402

FACTS = json.loads(Path(os.environ.get("GATEHOUSE_DEMO", ROOT / ".data" / "demo.json")).read_text(encoding="utf-8"))


def main(email: str) -> None:
    # An app holds no secret: the API key names the customer, and the service's public key encrypts.
    send = over_http(FACTS["base_url"])
    jwks = Client(send=send).call("GET", "/.well-known/jwks.json").document
    gatehouse = Client(send=send, api_key=FACTS["api_key"], public_jwk=jwks["keys"][0])
    phone = Authenticator(origin=android_origin())

    access_token = sign_in_by_code(gatehouse, email)
    make_passkey(gatehouse, phone, access_token)
    user = sign_in_by_passkey(gatehouse, phone)["user"]
    print(f"Signed in by passkey as {user['email']}.")


def android_origin() -> str:
    """What Android gives as the origin of an app: SHA-256 of the certificate that it is signed with, in base64url."""
    [statement] = json.loads((HERE / "assetlinks.json").read_text(encoding="utf-8"))
    fingerprint = bytes.fromhex(statement["target"]["sha256_cert_fingerprints"][0].replace(":", ""))
    return "android:apk-key-hash:" + urlsafe_b64encode(fingerprint).decode().rstrip("=")


def sign_in_by_code(gatehouse: Client, email: str) -> str:
    document(gatehouse.request_otp(email))
    code = input("The code in the mail: ")
    return str(document(gatehouse.verify_otp(email, code))["access_token"])


def make_passkey(gatehouse: Client, phone: Authenticator, access_token: str) -> None:
    options = document(gatehouse.post("/api/auth/2fa/passkeys/options", {}, token=access_token))
    credential = phone.create(options)  # CreatePublicKeyCredentialRequest(requestJson = options)
    named = {"credential": credential, "name": "My phone"}
    document(gatehouse.post("/api/auth/2fa/passkeys", named, token=access_token))


def sign_in_by_passkey(gatehouse: Client, phone: Authenticator) -> dict[str, Any]:
    options = document(gatehouse.before_sign_in("/api/auth/passkey/options", {}))
    credential = phone.get(options)  # GetPublicKeyCredentialOption(requestJson = options)
    return document(gatehouse.before_sign_in("/api/auth/passkey/verify", {"credential": credential}))


def document(answer: Answer) -> dict[str, Any]:
    if answer.error_type:
        raise SystemExit(f"{answer.call}: {answer.status} {answer.error_type}")
    found: dict[str, Any] = answer.document
    return found


if __name__ == "__main__":
    main(sys.argv[1])
