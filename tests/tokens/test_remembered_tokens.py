"""A token whose signature this process has checked: what was refused without the memory is refused with it.

Every test lets the token in first, so that it is remembered.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from apps.accounts import deactivation
from apps.audit.models import Event
from apps.core.state import process
from apps.customers import keyring
from apps.customers import lifecycle as customers
from apps.tokens import (
    emergency_rotation,
    introspection,
    remembered_tokens,
    revocation,
    sessions,
    signing,
    verification,
)
from apps.tokens.errors import InvalidToken
from apps.tokens.proof import Proof
from apps.tokens.remembered_tokens import RememberedTokens
from apps.tokens.signing import TokenKind, VerifiedClaims
from apps.users import lifecycle as users
from tests import factories
from tests.conftest import MakeClient
from tests.races import at_once
from tests.roundtrips import counted
from tests.tokens.test_attacks import Scene

pytestmark = pytest.mark.django_db(transaction=True)
INVALID = (401, "invalid_token")


@pytest.fixture
def scene(client_for: MakeClient) -> Scene:
    """Whose token this process remembers."""
    scene = Scene(client_for)
    assert scene.refused_as(scene.pair.access) == (200, None)
    assert len(remembered_tokens.memory) == 1
    return scene


def test_a_signature_is_checked_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else is asked, of PostgreSQL or of Valkey."""
    monkeypatch.setattr(signing, "verify", lambda *_, **__: pytest.fail("checked again"))
    with counted() as cost:
        assert scene.refused_as(scene.pair.access) == (200, None)
    assert (cost.statements, cost.round_trips) == ([], 0)


def test_another_signature_or_another_spelling_is_another_token(scene: Scene) -> None:
    """C3.9"""
    head, payload, signature = scene.pair.access.split(".")
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    assert scene.refused_as(f"{head}.{payload}.{flipped}") == INVALID
    assert scene.refused_as(f"{head}.{payload}.{signature[:-1]}") in (INVALID, (400, "malformed_token"))
    for text in (f"{head}.{payload}.{signature}=", f"{head}=.{payload}.{signature}", f"{head}.{payload}"):
        assert scene.refused_as(text) == (400, "malformed_token")
    assert scene.refused_as(scene.signed(scene.claims(role="admin"), key="k" * 128)) == INVALID
    assert len(remembered_tokens.memory) == 1


def test_another_algorithm_is_another_token(scene: Scene) -> None:
    """C3.2"""
    assert scene.refused_as(scene.signed(scene.claims(), algorithm="HS512")) == INVALID
    assert scene.refused_as(scene.signed(scene.claims(), key="", algorithm="none")) == (400, "malformed_token")


@pytest.mark.parametrize(
    "wrong", [{"exp": 1}, {"nbf": 4_000_000_000}, {"aud": "x"}, {"sub": "x"}, {"token_type": "2fa"}]
)
def test_what_was_refused_is_not_remembered(scene: Scene, wrong: dict[str, object]) -> None:
    token = scene.signed(scene.claims(**wrong))
    for _ in range(2):
        assert scene.refused_as(token)[0] == 401
    assert len(remembered_tokens.memory) == 1


def test_what_is_remembered_of_one_customer_is_nothing_to_another(scene: Scene) -> None:
    """C1.5: nor does another customer's server hear of it."""
    asked_by = factories.context()
    with pytest.raises(InvalidToken):
        verification.genuine(scene.pair.access, customer_id=scene.other.id, context=asked_by)
    assert introspection.introspect(scene.pair.access, customer_id=scene.other.id, context=asked_by) == {
        "active": False
    }
    assert (
        introspection.introspect(scene.pair.access, customer_id=scene.customer.id, context=asked_by)["active"] is True
    )


def test_an_access_token_is_no_token_of_another_kind(scene: Scene) -> None:
    for kind in (TokenKind.REFRESH, TokenKind.CHALLENGE):
        with pytest.raises(InvalidToken):
            verification.presented(scene.pair.access, kind=kind, context=factories.context())


def test_only_access_tokens_are_remembered(scene: Scene) -> None:
    verification.verify(scene.pair.refresh, kind=TokenKind.REFRESH, context=factories.context())
    assert len(remembered_tokens.memory) == 1


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    began = time.time()
    monkeypatch.setattr(signing.time, "time", lambda: began + seconds)


def test_it_expires_although_it_is_remembered(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """C3.3: 30 s after its end, and that is an event as ever."""
    left = scene.claims()["exp"] - time.time()
    later(monkeypatch, left + signing.LEEWAY_SECONDS - 5)
    assert scene.refused_as(scene.pair.access) == (200, None)
    later(monkeypatch, left + signing.LEEWAY_SECONDS + 5)
    assert scene.refused_as(scene.pair.access) == (401, "token_expired")
    assert Event.objects.get(action="expired_token_replayed").customer_id == scene.customer.id


def test_it_does_not_count_before_its_time(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that was set back."""
    later(monkeypatch, -signing.LEEWAY_SECONDS - 60)
    assert scene.refused_as(scene.pair.access) == INVALID


def end_session(scene: Scene) -> None:
    sessions.end_all(customer_id=scene.customer.id, user_id=scene.user.id, reason="logout", context=factories.context())


def revoke(scene: Scene) -> None:
    revocation.revoke(scene.pair.access, customer_id=scene.customer.id, context=factories.context())


def rotate_gracefully(scene: Scene) -> None:
    """With an end that has come."""
    now = timezone.now()
    context = factories.context(now=now)
    keyring.rotate_gracefully(scene.customer, context=context, retires_at=now + timedelta(seconds=1))
    time.sleep(1.1)


CHANGES: dict[str, tuple[Callable[[Scene], object], tuple[int, str]]] = {
    "session": (end_session, (401, "session_ended")),
    "jti": (revoke, (401, "token_revoked")),
    "user": (lambda it: deactivation.deactivate(it.user, context=factories.context()), (401, "user_inactive")),
    "suspended": (lambda it: customers.suspend(it.customer, context=factories.context()), (403, "customer_suspended")),
    "emergency": (lambda it: emergency_rotation.rotate_in_emergency(it.customer, context=factories.context()), INVALID),
    "graceful": (rotate_gracefully, INVALID),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_bites(scene: Scene, change: str) -> None:
    """C3.4"""
    act, refusal = CHANGES[change]
    act(scene)
    assert scene.refused_as(scene.pair.access) == refusal
    assert scene.refused_as(scene.pair.access) == refusal


def test_a_changed_role_counts_at_once(scene: Scene) -> None:
    """C3.3: as they are now, not as the token says."""
    read = lambda: scene.client.get("/api/auth/me", token=scene.pair.access).document["role"]  # noqa: E731
    assert read() != "admin"
    users.change(scene.user, changes={"role": "admin"}, context=factories.context())
    assert read() == "admin"


def test_a_changed_slug_is_another_issuer(scene: Scene) -> None:
    """C3.3: `iss` is compared with the customer as it is now."""
    customers.Customer.objects.filter(id=scene.customer.id).update(slug="renamed")
    process.present().memory.forget_everything()  # as its announcement would
    assert scene.refused_as(scene.pair.access) == INVALID


def claims(number: int) -> VerifiedClaims:
    ids = [UUID(int=uuid4().int) for _ in range(3)]
    now = int(time.time())
    return VerifiedClaims(
        kind=TokenKind.ACCESS,
        issuer=f"https://auth.example/customers/{number}",
        customer_id=uuid4(),
        user_id=ids[0],
        session_id=ids[1],
        jti=ids[2],
        kid=str(uuid4()),
        issued_at=now,
        not_before=now,
        expires_at=now + 600,
        proof=Proof(now, ("otp",)),
        prk=bytes(32),
    )


def test_the_memory_is_bounded_and_keeps_what_is_used() -> None:
    memory = RememberedTokens(most=3)
    for number in range(3):
        memory.put(f"token {number}", claims(number))
    assert memory.timely("token 0", TokenKind.ACCESS)
    memory.put("token 3", claims(3))
    assert [memory.timely(f"token {number}", TokenKind.ACCESS) is not None for number in range(4)] == [
        True,
        False,
        True,
        True,
    ]
    assert len(memory) == 3


def test_threads_may_share_it() -> None:
    memory, all_claims = RememberedTokens(most=20), [claims(number) for number in range(60)]

    def use(thread: int) -> None:
        for turn in range(2_000):
            number = (turn * (thread + 1)) % 60
            found = memory.timely(f"token {number}", TokenKind.ACCESS)
            assert found in (None, all_claims[number])
            memory.put(f"token {number}", all_claims[number])

    at_once(4, use)
    assert len(memory) == 20
