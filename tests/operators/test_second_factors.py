"""C2.4.1: operators' second factors: sealed and hashed, good once, set up and removed by themselves."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_otp import match_token

from apps.audit.models import Event
from apps.core import ciphers, reencryption, sealed
from apps.core.ciphers import DecryptionFailed
from apps.operators.models import AuthenticatorApp, OperatorRecoveryCode, RecoveryCodeDevice
from tests import races
from tests.operators.enrolling import PAGE, SEED, app_of, code_of, enrol, wrong_code_of
from tests.operators.signing_in import is_in, operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def everything_in_the_database() -> str:
    """Everything a stolen copy of the database would hold about operators."""
    with connection.cursor() as cursor:
        texts = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*), string_agg(t::text, chr(10)) FROM "{table}" AS t')  # noqa: S608  (our own tables)
            texts.append(str(cursor.fetchone()))
    return "\n".join(texts).lower()


def test_who_has_a_second_factor_needs_it() -> None:
    device = app_of(operator())
    assert not is_in(sign_in())
    assert not is_in(sign_in(code=wrong_code_of(device)))
    assert Event.objects.filter(action="operator_sign_in_failed").count() == 2
    assert is_in(sign_in(code=code_of(device)))


def test_it_is_enrolled_with_recovery_codes_and_removed() -> None:
    user = operator()
    codes = enrol(sign_in(), user)
    assert len(set(codes)) == 10
    assert not is_in(sign_in())
    assert is_in(sign_in(code=codes[0]))
    assert not is_in(sign_in(code=codes[0]))  # used once
    inside = sign_in(code=codes[1].lower().replace("-", " "))
    assert is_in(inside)
    inside.post(PAGE, {"code": "wrong"})
    assert AuthenticatorApp.objects.filter(user=user, confirmed=True).exists()
    inside.post(PAGE, {"code": codes[2]})
    assert not AuthenticatorApp.objects.exists()
    assert not OperatorRecoveryCode.objects.exists()
    assert is_in(sign_in())


def test_a_stolen_database_holds_neither_seed_nor_recovery_code() -> None:
    user = operator()
    codes = enrol(sign_in(), user)
    device = AuthenticatorApp.objects.get(user=user)
    seed = sealed.read(device, "seed")
    kept = everything_in_the_database()
    for secret in (seed.hex(), device.secret(), *codes, *(code.replace("-", "") for code in codes)):
        assert secret.lower() not in kept
        assert ciphers.digest(secret.encode()).hex() not in kept  # and no plain digest, which anybody could compute


def test_a_seed_opens_in_its_own_row_alone() -> None:
    mine, other = app_of(operator()), app_of(operator("other@example.com"))
    AuthenticatorApp.objects.filter(id=other.id).update(seed=mine.seed)
    other.refresh_from_db()
    with pytest.raises(DecryptionFailed):
        other.secret()


def test_the_master_key_is_rotated_for_operators_too(settings: object) -> None:
    """C2.4.2"""
    user = operator()
    codes = enrol(sign_in(), user)
    device = AuthenticatorApp.objects.get(user=user)
    before = settings.MASTER_KEYS  # type: ignore[attr-defined]
    settings.MASTER_KEYS = {"fresh": b"f" * 32, **before}  # type: ignore[attr-defined]
    for column in reencryption.columns():
        list(reencryption.reencrypt(column))
    settings.MASTER_KEYS = {"fresh": b"f" * 32}  # type: ignore[attr-defined]
    fresh = AuthenticatorApp.objects.get(user=user)
    assert fresh.seed.startswith("fresh.")
    assert is_in(sign_in(code=code_of(fresh, later=1)))
    assert is_in(sign_in(code=codes[0]))
    assert device.seed != fresh.seed


def test_a_code_of_the_app_is_taken_once() -> None:
    device = app_of(operator())
    code = code_of(device)
    assert is_in(sign_in(code=code))
    assert not is_in(sign_in(code=code))
    assert is_in(sign_in(code=code_of(device, later=1)))


@pytest.mark.parametrize("kind", ["app", "recovery code"])
def test_of_many_uses_at_once_one_is_taken(kind: str) -> None:
    user = operator()
    codes = enrol(sign_in(), user)
    AuthenticatorApp.objects.update(last_step=0)
    code = codes[0] if kind == "recovery code" else code_of(AuthenticatorApp.objects.get())

    def use(_number: int) -> bool:
        return match_token(User.objects.get(pk=user.pk), code) is not None

    assert sum(races.at_once(16, use)) == 1


def test_one_operators_codes_are_worthless_to_another() -> None:
    user = operator()
    codes = enrol(sign_in(), user)
    other = operator("other@example.com")
    app_of(other)
    assert not is_in(sign_in("other@example.com", code=codes[0]))


def test_old_recovery_codes_die_with_the_factor_they_came_with() -> None:
    user = operator()
    browser = sign_in()
    first = enrol(browser, user)
    browser.post(PAGE, {"code": first[0]})
    second = enrol(browser, user)
    assert not is_in(sign_in(code=first[1]))
    assert is_in(sign_in(code=second[1]))


def test_an_operator_is_told_when_few_recovery_codes_are_left() -> None:
    user = operator()
    codes = enrol(sign_in(), user)
    OperatorRecoveryCode.objects.filter(id__in=OperatorRecoveryCode.objects.values("id")[:6]).update(
        used_at=timezone.now()
    )
    browser = sign_in(code=codes[6])
    assert "3 of your recovery codes are left" in browser.get("/admin/password_change/").content.decode()


def test_the_seed_is_shown_until_it_is_confirmed_and_never_after(client: Client) -> None:
    user = operator()
    browser = sign_in()
    device = app_of(user, confirmed=False)
    secret = " ".join(device.secret()[start : start + 4] for start in range(0, 32, 4))
    assert secret in browser.get(PAGE).content.decode()
    browser.post(PAGE, {"code": code_of(device)})
    pages = [PAGE, "/admin/", f"/admin/auth/user/{user.id}/change/", f"/admin/auth/user/{user.id}/delete/"]
    for page in pages:
        text = browser.get(page).content.decode()
        assert secret not in text
        assert device.seed not in text
    assert SEED.decode() not in f"{device!r} {device} {RecoveryCodeDevice.objects.get()!r}"


def test_guesses_at_the_page_that_removes_it_are_counted() -> None:
    """A session left open, or stolen, does not get enough tries to guess one."""
    user = operator()
    browser = sign_in()
    codes = enrol(browser, user)
    for _ in range(5):
        browser.post(PAGE, {"code": wrong_code_of(AuthenticatorApp.objects.get())})
    browser.post(PAGE, {"code": codes[0]})
    assert AuthenticatorApp.objects.filter(user=user, confirmed=True).exists()


def test_two_pages_of_enrolment_opened_at_once_lock_nobody_out() -> None:
    user = operator()
    for _ in range(2):
        app_of(user, confirmed=False)
    assert sign_in().get(PAGE).status_code == 200


def test_a_session_of_a_factor_that_is_gone_is_no_proof() -> None:
    """Also a session that still names a device of django-otp's own tables."""
    device = app_of(operator())
    browser = sign_in(code=code_of(device))
    session = browser.session
    session["otp_device_id"] = "otp_totp.totpdevice/1"
    session.save()
    assert not is_in(browser)


def test_time_is_the_apps_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 6238 section 5.2: one step either side, no more."""
    device = app_of(operator())
    now = timezone.now()
    code = code_of(device)
    for late, right in ((90, False), (-90, False), (30, True)):
        monkeypatch.setattr(timezone, "now", lambda late=late: now + timedelta(seconds=late))
        assert device.verify_token(code) is right
