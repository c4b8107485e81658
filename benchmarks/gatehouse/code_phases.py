"""Code out, code in at Gatehouse: returning users in browsers that they have used before, each from an address of its own."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import count as numbers
from pathlib import Path

from apps.audit import actions
from apps.audit.models import Event
from apps.mail import outbox
from apps.mail.content import Content
from apps.mail.models import Message
from apps.tokens.models import RefreshToken, RevokedToken, Session
from apps.users.models import User
from benchmarks import load
from benchmarks.gatehouse import installation
from benchmarks.gatehouse.world import USER_AGENT, World, address
from benchmarks.load import Requests
from benchmarks.subject import NotKept, Phase
from demo.client import Client, Wire, envelope

CODE = re.compile(r"#([0-9]{4,10})\b")  # the last line of the mail: "@example.com #123456"


class CodePhases:
    """The four steps. It knows who is on the way: users whose codes were asked for, and who have not given them yet."""

    def __init__(self, world: World, folder: Path, *, service_key: str) -> None:
        self._world = world
        self._folder = folder
        self._client = Client(send=_never, service_key=service_key)
        self._addresses = map(address, numbers(1))
        self._waiting: Sequence[User] = []
        self._calls: Counter[str] = Counter()

    def phases(self) -> Sequence[Phase]:
        return (
            Phase("request-otp", self._request_otp, check=self._check_requested),
            Phase("verify-otp", self._verify_otp, check=self._check_signed_in),
            Phase("refresh", self._refresh, check=self._check_refreshed, is_sign_in=False),
            Phase("logout", self._log_out, check=self._check_logged_out, is_sign_in=False),
        )

    def _request_otp(self, count: int, _answers: Path | None) -> Requests:
        self._waiting = self._world.returning_users(count)
        bodies = ({"email": user.email} for user in self._waiting)
        return self._before_sign_in("/api/auth/request-otp", bodies)

    def _verify_otp(self, _count: int, _answers: Path | None) -> Requests:
        bodies = ({"email": email, "otp": code} for email, code in _codes(self._waiting))
        return self._before_sign_in("/api/auth/verify-otp", bodies)

    def _refresh(self, _count: int, answers: Path | None) -> Requests:
        bodies = (json.dumps({"refresh_token": one["refresh_token"]}).encode() for one in _documents(answers))
        return self._write("refresh", (self._post("/api/auth/refresh", body) for body in bodies))

    def _log_out(self, _count: int, answers: Path | None) -> Requests:
        tokens = (one["access_token"] for one in _documents(answers))
        return self._write(
            "logout", (self._post("/api/auth/logout", Authorization=f"Bearer {token}") for token in tokens)
        )

    def _before_sign_in(self, path: str, documents: Iterable[dict[str, str]]) -> Requests:
        """Sealed by the service key, each fresh and good once (contract 2.1)."""
        sealed = (envelope(self._client.seal_to_service(self._client.stamped(one, path))) for one in documents)
        requests = (self._post(path, body, **{"X-OTP-API-Key": self._world.api_key}) for body in sealed)
        return self._write(path.rpartition("/")[2], requests)

    def _post(self, path: str, body: bytes = b"", **headers: str) -> bytes:
        content = {"Content-Type": "application/json"} if body else {}
        way = {**installation.BY_PROXY, "X-Forwarded-For": next(self._addresses), "User-Agent": USER_AGENT}
        return load.request("POST", path, headers={**way, **content, **headers}, body=body)

    def _write(self, name: str, requests: Iterable[bytes]) -> Requests:
        return load.write(self._folder / f"{name}.requests", requests, once=True)

    # --- What must be there afterwards: nothing was saved by leaving something out ---------------------------------

    def _check_requested(self, count: int) -> None:
        calls = self._check_events(actions.CODE_REQUESTED, count)
        _check("mails", Message.objects.of(self._world.customer.id).filter(kind="sign_in_code").count(), calls)

    def _check_signed_in(self, count: int) -> None:
        calls = self._check_events(actions.SIGN_IN, count)
        mine = Session.objects.of(self._world.customer.id)
        _check("sessions", mine.filter(request_mark__isnull=False).count(), calls)

    def _check_refreshed(self, count: int) -> None:
        calls = self._check_events(actions.TOKEN_REFRESHED, count)
        mine = RefreshToken.objects.of(self._world.customer.id)
        _check("used refresh tokens", mine.filter(used_at__isnull=False).count(), calls)

    def _check_logged_out(self, count: int) -> None:
        calls = self._check_events(actions.LOGOUT, count)
        _check("revoked tokens", RevokedToken.objects.of(self._world.customer.id).count(), calls)

    def _check_events(self, action: str, count: int) -> int:
        """All calls of this kind so far, which must have left an event each."""
        self._calls[action] += count
        calls = self._calls[action]
        _check(action, Event.objects.of(self._world.customer.id).filter(action=action).count(), calls)
        return calls


def _check(what: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise NotKept(f"{wanted} calls have left {found} {what}.")


def _codes(whose: Sequence[User]) -> Iterator[tuple[str, str]]:
    """Address and code of each, read from the outbox as the worker reads it that sends the mail."""
    waiting = Message.objects.filter(user_id__in=[user.id for user in whose], code_spent_at=None)
    for message in waiting.order_by("user_id", "created_at"):
        content = outbox.content_of(message)
        found = CODE.search(content.text) if isinstance(content, Content) else None
        if not found:
            raise NotKept("A mail holds no code.")
        yield message.recipient, found[1]


def _documents(answers: Path | None) -> Iterator[dict[str, str]]:
    return map(json.loads, load.read(answers)) if answers else iter(())


def _never(*_: object) -> Wire:
    raise NotKept("The client here only seals; wrk sends.")
