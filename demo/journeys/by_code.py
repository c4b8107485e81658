"""Sign in by one-time code, use the session, end it."""

import time
from typing import Any

from demo.journeys.stage import Stage

TITLE = "The first journey: sign in by one-time code"


def perform(stage: Stage) -> None:
    email = f"ada.{time.time_ns() // 1_000_000}@example.com"
    _request_code(stage, email)
    tokens = _verify(stage, email)
    _read_profile(stage, tokens["access_token"], email)
    tokens = _refresh(stage, tokens["refresh_token"])
    _list_sessions(stage, tokens["access_token"])
    _log_out(stage, tokens["access_token"])
    _old_token_is_refused(stage, tokens["access_token"])


def _request_code(stage: Stage, email: str) -> None:
    stage.step("Ask for a code (body encrypted to the service)")
    stage.show(stage.client.request_otp(email), expected=200)


def _verify(stage: Stage, email: str) -> Any:
    stage.step("The mail arrives (outbox → Celery worker → SMTP → mailbox)")
    code = stage.code(email)
    stage.step("Sign in with the code")
    return stage.show(stage.client.verify_otp(email, code), expected=200)


def _read_profile(stage: Stage, access_token: str, email: str) -> None:
    stage.step("Read the profile (the answer is encrypted under the token's own key)")
    answer = stage.client.get("/api/auth/me", token=access_token)
    profile = stage.show(answer, expected=200)
    stage.require(answer.encrypted, "the answer was not encrypted")
    stage.require(profile["email"] == email, "the profile is somebody else's")


def _refresh(stage: Stage, refresh_token: str) -> Any:
    stage.step("Refresh: new tokens, the old refresh token is dead")
    tokens = stage.show(stage.client.refresh(refresh_token), expected=200)
    stage.require(tokens["refresh_token"] != refresh_token, "the refresh token did not rotate")
    return tokens


def _list_sessions(stage: Stage, access_token: str) -> None:
    stage.step("List the sessions")
    page = stage.show(stage.client.get("/api/auth/sessions", token=access_token), expected=200)
    stage.require(any(session["current"] for session in page["results"]), "the session is not in the list")


def _log_out(stage: Stage, access_token: str) -> None:
    stage.step("Log out")
    stage.show(stage.client.post("/api/auth/logout", {}, token=access_token), expected=200)


def _old_token_is_refused(stage: Stage, access_token: str) -> None:
    stage.step("The old token is refused at once")
    answer = stage.client.get("/api/auth/me", token=access_token)
    error = stage.show(answer, expected=401)["error"]
    stage.require(error["type"] in {"session_ended", "token_revoked"}, f"refused as {error['type']}")
