"""The journey of a user, step by step: each shows what was sent and what came back, and must be as it should be."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demo import inbox, screen
from demo.client import Answer, Client, over_http

MAIL_WITHIN_SECONDS = 15


class StepFailed(Exception):
    """A step of the journey did not go as it should."""


def perform(facts: Mapping[str, str]) -> None:
    """Sign in by one-time code, use the session, end it. Raises StepFailed at the first surprise."""
    client = Client(
        send=over_http(facts["base_url"]),
        api_key=facts["api_key"],
        service_key=facts["service_encryption_key"],
    )
    email = f"ada.{int(time.time())}@example.com"
    screen.line()
    screen.title(f"The journey of {email}")
    _request_code(client, email)
    code = _read_mail(Path(facts["mailbox"]), email)
    tokens = _verify(client, email, code)
    _read_profile(client, tokens["access_token"], email)
    tokens = _refresh(client, tokens["refresh_token"])
    _list_sessions(client, tokens["access_token"])
    _log_out(client, tokens["access_token"])
    _old_token_is_refused(client, tokens["access_token"])
    screen.line()
    screen.note("Every step was as it should be.")


def _request_code(client: Client, email: str) -> None:
    screen.step(1, "Ask for a code (body encrypted to the service)")
    _show(client.request_otp(email), expected=200)


def _read_mail(mailbox: Path, email: str) -> str:
    screen.step(2, "The mail arrives (outbox → Celery worker → SMTP → mailbox)")
    try:
        message = inbox.wait_for_mail(mailbox, recipient=email, within_seconds=MAIL_WITHIN_SECONDS)
        code = inbox.code_in(message)
    except (TimeoutError, ValueError) as error:
        raise StepFailed(str(error)) from error
    screen.note(f"From {message['From']}: “{message['Subject']}”")
    screen.note(f"The code is {code}")
    return code


def _verify(client: Client, email: str, code: str) -> Any:
    screen.step(3, "Sign in with the code")
    return _show(client.verify_otp(email, code), expected=200)


def _read_profile(client: Client, access_token: str, email: str) -> None:
    screen.step(4, "Read the profile (the answer is encrypted under the token's own key)")
    answer = client.get("/api/auth/me", token=access_token)
    profile = _show(answer, expected=200)
    _require(answer.encrypted, "the answer was not encrypted")
    _require(profile["email"] == email, "the profile is somebody else's")


def _refresh(client: Client, refresh_token: str) -> Any:
    screen.step(5, "Refresh: new tokens, the old refresh token is dead")
    tokens = _show(client.refresh(refresh_token), expected=200)
    _require(tokens["refresh_token"] != refresh_token, "the refresh token did not rotate")
    return tokens


def _list_sessions(client: Client, access_token: str) -> None:
    screen.step(6, "List the sessions")
    page = _show(client.get("/api/auth/sessions", token=access_token), expected=200)
    _require(any(session["current"] for session in page["results"]), "the session is not in the list")


def _log_out(client: Client, access_token: str) -> None:
    screen.step(7, "Log out")
    _show(client.post("/api/auth/logout", {}, token=access_token), expected=200)


def _old_token_is_refused(client: Client, access_token: str) -> None:
    screen.step(8, "The old token is refused at once")
    answer = client.get("/api/auth/me", token=access_token)
    error = _show(answer, expected=401)["error"]
    _require(error["type"] in {"session_ended", "token_revoked"}, f"refused as {error['type']}")


def _show(answer: Answer, *, expected: int) -> Any:
    screen.sent(answer.call, answer.sent_document, answer.sent_wire)
    screen.received(answer.status, answer.document, answer.wire if answer.encrypted else None)
    _require(answer.status == expected, f"expected {expected}, got {answer.status}")
    return answer.document


def _require(true: bool, otherwise: str) -> None:  # noqa: FBT001  (reads as an assertion)
    if not true:
        raise StepFailed(f"The journey failed: {otherwise}.")
