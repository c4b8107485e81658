"""A yes is remembered until what it follows from has changed, or the first of its times has come; and nothing else is."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from apps.api.authentication.remembered_answers import RememberedAnswer
from apps.api.early_request import HeaderLines
from apps.api.forward_auth.shortcut import verdicts
from apps.customers import state
from apps.tokens import sessions
from apps.tokens.models import Session
from apps.tokens.signing import LEEWAY_SECONDS
from tests import factories
from tests.api.forward_auth.asking import Proxy, by_shortcut
from tests.api.forward_auth.test_verdict import Scene
from tests.remembering import changed, forget_everything

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    verdicts._answers.clear()


@pytest.fixture
def proxy() -> Proxy:
    return by_shortcut()


@pytest.fixture
def scene() -> Scene:
    return Scene()


def only_one() -> RememberedAnswer[HeaderLines]:
    (verdict,) = verdicts._answers.values()
    return verdict


def is_found(at: float) -> bool:
    (place,) = verdicts._answers
    return verdicts.find(place, at) is not None


LEFT = 25  # seconds: before it is to be written again that the session is used


def ends_with_the_token(_scene: Scene, expires_at: datetime) -> float:
    return int(expires_at.timestamp()) + LEEWAY_SECONDS


def ends_with_the_session(scene: Scene, expires_at: datetime) -> float:
    Session.objects.update(expires_at=expires_at)
    changed(scene.customer)
    return expires_at.timestamp()


@pytest.mark.parametrize("ends", [ends_with_the_session, ends_with_the_token])
def test_a_yes_ends_when_the_first_of_its_times_comes(
    proxy: Proxy, scene: Scene, ends: Callable[[Scene, datetime], float]
) -> None:
    expires_at = timezone.now() + timedelta(seconds=LEFT)
    lifetime = timedelta(seconds=state.read(scene.customer.id).access_lifetime)
    token = factories.session(scene.user, now=expires_at - lifetime).access
    proxy.ask(scene.path(), token=token)
    end = ends(scene, expires_at)
    assert proxy.ask(scene.path(), token=token).status == 204
    assert only_one().until == pytest.approx(end, abs=0.001)
    assert is_found(only_one().until - 0.01)
    assert not is_found(only_one().until)
    assert not is_found(only_one().since - 1), "nor before it was given, should the clock be set back"


def test_a_proof_ends_with_its_age(proxy: Proxy, scene: Scene) -> None:
    began = timezone.now() - timedelta(seconds=30)
    token = factories.session(scene.user, now=began).access
    assert proxy.ask(scene.path("max_age=40"), token=token).status == 204
    assert only_one().until == int(began.timestamp()) + 40


def test_a_yes_ends_when_it_is_to_be_written_again_that_the_session_is_used(proxy: Proxy, scene: Scene) -> None:
    """It is written once a minute, and not at a yes from memory."""
    an_hour_ago, minute = timezone.now() - timedelta(hours=1), sessions.ACTIVITY_WRITTEN_AFTER_SECONDS
    pair = factories.session(scene.user, now=an_hour_ago)
    assert proxy.ask(scene.path(), token=pair.access).status == 204
    written = Session.objects.get(id=pair.session_id).last_activity_at
    assert written > an_hour_ago
    assert only_one().until == pytest.approx(written.timestamp() + minute, abs=0.001)


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
    signed, _, signature = scene.token.rpartition(".")
    assert here.ask(path, token=f"{signed}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}").status == 401
    assert len(verdicts._answers) == 1, "no refusal is remembered"
    elsewhere.ask(path, token=scene.token)
    here.ask(path, token=other)
    here.ask(scene.path("role=auditor"), token=scene.token)
    assert len(verdicts._answers) == 4
    assert scene.token not in repr(verdicts._answers)
    foreign = factories.api_key(scene.other)[1]
    assert here.ask(path, token=scene.token, X_OTP_API_Key=foreign).error == (401, "invalid_api_key")


def test_the_memory_is_bounded(proxy: Proxy, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "_most", 3)
    for seconds in range(100, 110):
        assert proxy.ask(scene.path(f"max_age={seconds}"), token=scene.token).status == 204
        assert len(verdicts._answers) <= 3
