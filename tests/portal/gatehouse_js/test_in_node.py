"""The module under Node, against the service: once with its own cryptography, once with `jose` in its place."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest

from apps.mail import outbox
from apps.mail.models import Message
from apps.payloads import service_keys
from apps.tokens import sessions
from apps.tokens.models import EndReason
from apps.users.models import User
from tests import factories
from tests.accounts.moving import undo_token
from tests.otp.reading import newest_code
from tests.payloads.test_node_interop import INTEROP, node  # noqa: F401  (a fixture)
from tests.portal.gatehouse_js.node import HERE, MODULE
from tests.signin.entering import FRESH, PASSWORD, enrol_app, member
from tests.signin.proving import old_session

pytestmark = pytest.mark.django_db(transaction=True)


RESET = re.compile(r"reset-password#token=([\w.-]+)")


@pytest.fixture(params=["its own cryptography", "jose"])
def module(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where the module lies."""
    if request.param != "jose":
        return MODULE
    copied = tmp_path / "gatehouse"
    shutil.copytree(MODULE, copied)
    shutil.copy(HERE / "jwe_by_jose.mjs", copied / "jwe.js")
    (copied / "node_modules").symlink_to(INTEROP / "node_modules")
    return copied


def walk(node: str, script: str, *arguments: object, answer: Callable[[str], Any]) -> dict[str, Any]:  # noqa: F811
    """What the script has done; `answer` is the user."""
    command = [node, str(HERE / script), *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in process.stdout:
            said: dict[str, Any] = json.loads(line)
            if "done" in said:
                done: dict[str, Any] = said["done"]
                return done
            process.stdin.write(json.dumps(answer(said["question"])) + "\n")
            process.stdin.flush()
    raise AssertionError("Node ended before the journey did")


def test_a_users_way_through_the_service(node: str, module: Path, live_server: Any) -> None:  # noqa: F811
    """C2, C3.6, C3.10: ways in, calls, answers that somebody has changed, a refresh, a rotated service key, a step-up, the end."""
    customer = factories.customer(code_resend_after=0)
    app = enrol_app(member(customer, "eve@example.com"))
    bob = member(customer, "bob@example.com")
    old = old_session(bob)

    context = factories.context(factories.ACTOR)

    def end_session() -> None:
        sessions.end_all(customer_id=customer.id, user_id=bob.id, reason=EndReason.OPERATOR, context=context)

    def rotate() -> None:
        service_keys.rotate(overlap=timedelta(0), context=context)

    known: dict[str, Callable[[], Any]] = {
        "code": newest_code,
        "password": lambda: PASSWORD,
        "totp": app.now,
        "rotate the service key": rotate,
        "tokens of an old session": lambda: {"access_token": old.access, "refresh_token": old.refresh},
        "end the session": end_session,
    }
    key = factories.api_key(customer)[1]
    done = walk(node, "journey.mjs", module, live_server.url, key, answer=lambda question: known[question]())
    unreadable = dict.fromkeys(("plain", "tampered", "another"), "200 unreadable_answer")
    assert done == {
        "new": True,
        "renamed": "Zoë 🦉",
        "name": "Zoë 🦉",
        "refreshed": True,
        "token": True,
        "altered": {**unreadable, "status": "203 unreadable_answer", "html": "502 unexpected_answer"},
        "left": 0,
        "methods": ["totp", "recovery_code", "email"],
        "devices": 1,
        "secret": 32,
        "outside": "TypeError",
        "ended": "401 session_ended",
        "after": "401 not_signed_in",
    }


def reset_token() -> str:
    message = Message.objects.filter(kind="password_reset").order_by("-id")[0]
    found = RESET.search(outbox.content_of(message).text)
    assert found
    return found[1]


def test_every_other_function_meets_the_service(node: str, live_server: Any, settings: Any) -> None:  # noqa: F811
    settings.SMS_BACKEND = "apps.mail.sms_transports.Console"
    customer = factories.customer(code_resend_after=0)
    known: dict[str, Callable[[], Any]] = {
        "three passwords": lambda: [PASSWORD, FRESH, f"{FRESH}, too"],
        "code": newest_code,
        "sms": newest_code,
        "undo": undo_token,
        "reset": reset_token,
        "demand a second factor": lambda: factories.policy(customer, second_factor="required"),
    }

    def answer(question: str) -> Any:
        return known[question]() if question in known else pyotp.TOTP(question).now()  # a secret that was just shown

    done = walk(node, "everything.mjs", MODULE, live_server.url, factories.api_key(customer)[1], answer=answer)
    assert done == {
        "registered": "pending",
        "proven": True,
        "codes": 10,
        "made": 10,
        "factors": [True, 0],
        "passkeys": [],
        "proof": True,
        "phone": done["phone"],
        "locale": "de",
        "changed": "zoe@example.com",
        "exported": True,
        "files": ["x.pdf"],
        "about": "application/pdf",
        "content": "%PDF-1.7",
        "passkey": None,
        "unsupported": "passkeys_unsupported",
        "ended": "session_ended",
        "enrol": ["passkey", "totp", "sms"],
        "enrolled": 10,
        "erased": "not_signed_in",
    }
    assert not User.objects.of(customer.id).filter(email="ada@example.com").exists()
