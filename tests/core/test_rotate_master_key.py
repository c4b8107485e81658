"""C2.4.2: `manage.py rotate_master_key` re-encrypts everything, in batches, resumably, while the service serves."""

import io
import secrets
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from apps.core import reencryption, sealed
from apps.core.reencryption import Column
from apps.customers.models import SigningSecret
from apps.users.models import User
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def rotate(**options: Any) -> str:
    out = io.StringIO()
    call_command("rotate_master_key", stdout=out, **options)
    return out.getvalue()


def everything() -> dict[tuple[str, object], bytes]:
    """Every secret at rest, opened."""
    return {
        (column.name, row.pk): sealed.read(row, column.field)
        for column in reencryption.columns()
        for row in column.model._default_manager.exclude(**{column.field: ""})
    }


def sealed_under(key_id: str) -> int:
    return SigningSecret.objects.filter(access_secret__startswith=f"{key_id}.").count()


@pytest.fixture
def newer_key(settings: Settings) -> str:
    """Two customers with secrets, a user with a phone, and a new key put in front since."""
    user = factories.user(factories.customer())
    sealed.write(user, "phone", b"+49 30 123456")
    user.save()
    factories.user(factories.customer())
    settings.MASTER_KEYS = {"newer": secrets.token_bytes(32), **settings.MASTER_KEYS}
    return "newer"


def test_every_sealed_column_is_found() -> None:
    assert {column.name for column in reencryption.columns()} == {
        "customers_customer.identity_check_secret",
        "customers_signingsecret.access_secret",
        "customers_signingsecret.refresh_secret",
        "factors_phone.number",
        "factors_phone.pending_number",
        "factors_totp.pending_secret",
        "factors_totp.secret",
        "files_userfile.content_key",
        "mail_message.content",
        "operators_authenticatorapp.seed",
        "operators_keptsecret.content",
        "operators_recoverycodedevice.digest_key",
        "otp_fixedcode.code",
        "payloads_servicekeypair.private_jwk",
        "tokens_session.payload_key",
        "accounts_registration.phone",
        "users_user.phone",
    }


def test_afterwards_the_older_key_can_go(newer_key: str, settings: Settings) -> None:
    before = everything()
    written = rotate()
    settings.MASTER_KEYS = {newer_key: settings.MASTER_KEYS[newer_key]}
    assert everything() == before
    assert len(before) >= 7
    assert "customers_signingsecret.access_secret: 3 of 3" in written
    assert "Nothing is left under an older key." in written


def test_what_is_empty_stays_empty(newer_key: str) -> None:
    rotate()
    assert User.objects.filter(phone="").count() == 1


def test_a_dry_run_counts_and_changes_nothing(newer_key: str) -> None:
    written = rotate(dry_run=True)
    assert "customers_signingsecret.access_secret: 3 to re-encrypt" in written
    assert sealed_under(newer_key) == 0


def test_done_twice_the_second_time_changes_nothing(newer_key: str) -> None:
    rotate()
    values = list(SigningSecret.objects.order_by("id").values_list("access_secret", flat=True))
    rotate()
    assert list(SigningSecret.objects.order_by("id").values_list("access_secret", flat=True)) == values


def test_interrupted_it_goes_on_where_it_was(newer_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reencryption, "BATCH", 1)
    before, column = everything(), Column(SigningSecret, "access_secret")
    next(reencryption.reencrypt(column))  # one batch, and then the power fails
    assert (sealed_under(newer_key), column.outdated().count()) == (1, 2)
    assert everything() == before
    assert "customers_signingsecret.access_secret: 2 of 2" in rotate()
    assert everything() == before


def test_a_value_that_the_service_writes_meanwhile_is_not_overwritten(newer_key: str) -> None:
    """It was read before the change and would be written after: compare-and-set refuses."""
    column, row = Column(User, "phone"), User.objects.exclude(phone="").get()
    meanwhile = User.objects.get(id=row.id)
    sealed.write(meanwhile, "phone", b"+49 30 654321")
    meanwhile.save()
    reencryption._reencrypt_row(column, row)
    assert sealed.read(User.objects.get(id=row.id), "phone") == b"+49 30 654321"


def test_only_its_own_column_is_written(newer_key: str) -> None:
    row = User.objects.exclude(phone="").get()
    User.objects.filter(id=row.id).update(name="changed meanwhile")
    reencryption._reencrypt_row(Column(User, "phone"), row)
    assert User.objects.get(id=row.id).name == "changed meanwhile"


def test_what_no_key_opens_is_left_counted_and_said(newer_key: str) -> None:
    lost = SigningSecret.objects.order_by("id").first()
    assert lost is not None
    SigningSecret.objects.filter(id=lost.id).update(access_secret="gone.AAAA", refresh_secret="k.not base64!")
    with pytest.raises(CommandError, match="2 value"):
        rotate()
    lost.refresh_from_db()
    assert (lost.access_secret, sealed_under(newer_key)) == ("gone.AAAA", 2)


def test_it_does_not_call_done_what_a_process_with_the_old_keys_undid(
    newer_key: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removing the old key then would lose the secret."""
    both, reencrypt = settings.MASTER_KEYS, reencryption.reencrypt

    def and_then_an_old_process_writes(column: Column) -> Any:
        yield from reencrypt(column)
        settings.MASTER_KEYS = {name: key for name, key in both.items() if name != newer_key}
        if column.field == "phone":
            row = User.objects.exclude(phone="").get()
            sealed.write(row, "phone", b"+1")
            row.save()
        settings.MASTER_KEYS = both

    monkeypatch.setattr(reencryption, "reencrypt", and_then_an_old_process_writes)
    with pytest.raises(CommandError, match=r"1 value.*meanwhile"):
        rotate()
