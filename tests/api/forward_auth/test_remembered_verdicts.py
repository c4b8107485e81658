"""A yes is remembered until what it follows from has changed, or the first of its times has come; and nothing else is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from apps.api.forward_auth import remembered_verdicts
from apps.api.forward_auth.remembered_verdicts import RememberedVerdict
from apps.tokens.models import Session
from apps.tokens.signing import LEEWAY_SECONDS
from tests import factories
from tests.api.forward_auth.asking import Proxy, by_shortcut
from tests.api.forward_auth.test_verdict import Scene
from tests.remembering import changed, forget_everything

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    remembered_verdicts._verdicts.clear()


@pytest.fixture
def proxy() -> Proxy:
    return by_shortcut()


@pytest.fixture
def scene() -> Scene:
    return Scene()


def only_one() -> RememberedVerdict:
    (verdict,) = remembered_verdicts._verdicts.values()
    return verdict


def is_found(at: float) -> bool:
    (place,) = remembered_verdicts._verdicts
    return remembered_verdicts.find(place, datetime.fromtimestamp(at, UTC)) is not None


def ends_with_the_token(_scene: Scene) -> float:
    return only_one().who.token_expires_at + LEEWAY_SECONDS


def ends_with_the_session(scene: Scene) -> float:
    end = timezone.now() + timedelta(minutes=5)
    Session.objects.update(expires_at=end)
    changed(scene.customer)
    return end.timestamp()


@pytest.mark.parametrize("ends", [ends_with_the_session, ends_with_the_token])
def test_a_yes_ends_when_the_first_of_its_times_comes(
    proxy: Proxy, scene: Scene, ends: Callable[[Scene], float]
) -> None:
    proxy.ask(scene.path(), token=scene.token)
    end = ends(scene)
    assert proxy.ask(scene.path(), token=scene.token).status == 204
    assert only_one().until == pytest.approx(end, abs=0.001)
    assert is_found(end - 0.01)
    assert not is_found(end + 0.01)
    assert not is_found(only_one().since - 1), "nor before it was given, should the clock be set back"


def test_a_proof_ends_with_its_age(proxy: Proxy, scene: Scene) -> None:
    assert proxy.ask(scene.path("max_age=60"), token=scene.token).status == 204
    assert only_one().until == only_one().who.proof.auth_time + 60


def test_a_yes_ends_with_whatever_is_announced(proxy: Proxy, scene: Scene) -> None:
    proxy.ask(scene.path(), token=scene.token)
    assert is_found(timezone.now().timestamp())
    changed(scene.customer)
    assert not is_found(timezone.now().timestamp())
    proxy.ask(scene.path(), token=scene.token)
    assert is_found(timezone.now().timestamp())
    forget_everything()
    assert not is_found(timezone.now().timestamp()), "as when the listening connection is lost"


def test_a_yes_is_to_one_token_one_question_and_one_address(scene: Scene) -> None:
    """And what a cookie or a key decides is decided every time."""
    here, elsewhere = by_shortcut(), Proxy(by_shortcut().application, address="198.51.100.9")
    other = factories.session(scene.user).access
    path, strict = scene.path(), scene.path("permission=invoices.delete")
    assert here.ask(path, token=scene.token).status == 204
    assert here.ask(strict, token=scene.token).status == 403
    assert here.ask(path, token=scene.token[:-2] + "AA").status == 401
    assert len(remembered_verdicts._verdicts) == 1, "no refusal is remembered"
    elsewhere.ask(path, token=scene.token)
    here.ask(path, token=other)
    here.ask(scene.path("role=auditor"), token=scene.token)
    assert len(remembered_verdicts._verdicts) == 4
    assert scene.token not in repr(remembered_verdicts._verdicts)
    foreign = factories.api_key(scene.other)[1]
    assert here.ask(path, token=scene.token, X_OTP_API_Key=foreign).error == (401, "invalid_api_key")


def test_the_memory_is_bounded(proxy: Proxy, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered_verdicts, "MOST", 3)
    for seconds in range(100, 110):
        assert proxy.ask(scene.path(f"max_age={seconds}"), token=scene.token).status == 204
        assert len(remembered_verdicts._verdicts) <= 3
