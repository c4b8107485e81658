"""Sign up, sign in by password, enrol an authenticator app, sign in with it, forget the password, reset it."""

import re
import time
from typing import Any

import pyotp

from demo import inbox
from demo.journeys.stage import Stage

TITLE = "The second journey: an account with a password and an authenticator app"
PASSWORD, NEW_PASSWORD = "a horse that jumps the fence", "and a second horse behind it"
TOKEN = re.compile(r"#token=([\w.~%-]+)")


def perform(stage: Stage) -> None:
    email = f"grace.{time.time_ns() // 1_000_000}@example.com"
    signed_up = _sign_up(stage, email)
    stage.client = stage.client_with(signed_up["api_key"])
    _verify_email(stage, email)
    tokens = _sign_in_by_password(stage, email)
    app, recovery_codes = _enrol_app(stage, tokens["access_token"])
    recovery_codes = _prove_it_once_more(stage, tokens["access_token"], recovery_codes)
    _sign_in_with_app(stage, email, app)
    token = _forget_password(stage, email)
    _reset_password(stage, token)
    _old_session_is_over(stage, tokens["access_token"])
    _a_reset_does_not_get_around_the_second_factor(stage, email, recovery_codes[0])


def _sign_up(stage: Stage, email: str) -> Any:
    stage.step("Sign up: a new customer with secrets of its own, its owner, and a first API key, shown once")
    document = {"email": email, "password": PASSWORD, "organization": "Hopper & Daughters"}
    signed_up = stage.show(stage.client_with(None).before_sign_in("/api/auth/signup", document), expected=201)
    stage.require(signed_up["user"]["role"] == "admin", "the owner is no admin")
    return signed_up


def _verify_email(stage: Stage, email: str) -> None:
    stage.step("Prove the address with the code in the mail")
    document = {"email": email, "otp": stage.code(email)}
    stage.show(stage.client.before_sign_in("/api/auth/verify-email", document), expected=200)


def _sign_in_by_password(stage: Stage, email: str) -> Any:
    stage.step("Sign in by password")
    return stage.show(_login(stage, email, PASSWORD), expected=200)


def _enrol_app(stage: Stage, access_token: str) -> tuple[pyotp.TOTP, list[str]]:
    stage.step("Enrol an authenticator app (the answer holds the secret, and a QR code as SVG)")
    begun = stage.show(stage.client.post("/api/auth/2fa/totp", {}, token=access_token), expected=201)
    app = pyotp.TOTP(begun["secret"])
    confirmation = {"code": app.now()}
    done = stage.show(stage.client.post("/api/auth/2fa/totp/confirm", confirmation, token=access_token), expected=200)
    stage.require(len(done["recovery_codes"]) == 10, "there are no ten recovery codes")
    return app, done["recovery_codes"]


def _prove_it_once_more(stage: Stage, access_token: str, recovery_codes: list[str]) -> list[str]:
    stage.step("Prove once more who you are, by one of the codes: changing factors takes a fresh proof")
    proof = {"method": "recovery_code", "code": recovery_codes[0]}
    fresh = stage.show(stage.client.post("/api/auth/reauthenticate", proof, token=access_token), expected=200)
    made = stage.client.post("/api/auth/2fa/recovery-codes", {}, token=fresh["access_token"])
    return list(stage.show(made, expected=201)["recovery_codes"])


def _sign_in_with_app(stage: Stage, email: str, app: pyotp.TOTP) -> None:
    stage.step("Sign in by password again: now the app's code is asked for")
    asked = _be_asked(stage, email, PASSWORD, method="totp")
    # No code works twice, and the present one confirmed the app. The next one works already, for clocks that run ahead.
    code = app.at(int(time.time()) + app.interval)
    document = {"session_token": asked["session_token"], "method": "totp", "code": code}
    stage.show(stage.client.before_sign_in("/api/auth/2fa/verify", document), expected=200)


def _forget_password(stage: Stage, email: str) -> str:
    stage.step("Forget the password: a link comes by mail")
    stage.show(stage.client.before_sign_in("/api/auth/forgot-password", {"email": email}), expected=200)
    text = inbox.text_of(stage.mail(email, about=TOKEN))
    found = TOKEN.search(text)
    stage.require(found is not None, "the mail holds no link")
    return found.group(1) if found else ""


def _reset_password(stage: Stage, token: str) -> None:
    stage.step("Reset it: the token works once, and every session ends")
    document = {"token": token, "password": NEW_PASSWORD}
    stage.show(stage.client.before_sign_in("/api/auth/reset-password", document), expected=200)
    again = stage.client.before_sign_in("/api/auth/reset-password", document)
    stage.show(again, expected=400)


def _old_session_is_over(stage: Stage, access_token: str) -> None:
    stage.step("The session from before is over")
    stage.show(stage.client.get("/api/auth/me", token=access_token), expected=401)


def _a_reset_does_not_get_around_the_second_factor(stage: Stage, email: str, recovery_code: str) -> None:
    stage.step("The new password alone does not suffice; a recovery code stands in for the app")
    asked = _be_asked(stage, email, NEW_PASSWORD, method="recovery_code")
    stage.require("email" not in asked["methods"], "a reader of the mailbox could get in")
    document = {"session_token": asked["session_token"], "method": "recovery_code", "code": recovery_code}
    stage.show(stage.client.before_sign_in("/api/auth/2fa/verify", document), expected=200)


def _be_asked(stage: Stage, email: str, password: str, *, method: str) -> Any:
    asked = stage.show(_login(stage, email, password), expected=200)
    stage.require(asked.get("requires_2fa") is True, "no second factor was asked for")
    stage.require(method in asked["methods"], f"{method} is not offered")
    return asked


def _login(stage: Stage, email: str, password: str) -> Any:
    return stage.client.before_sign_in("/api/auth/login", {"email": email, "password": password})
