"""API keys: their form, and which customer they belong to (contract 1)."""

import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.api_keys import keys, lifecycle
from apps.api_keys.models import ApiKey
from apps.audit.models import Event
from apps.core.errors import ValidationFailed
from apps.customers import lifecycle as customers
from tests import factories
from tests.conftest import MakeClient
from tests.remembering import changed

pytestmark = pytest.mark.django_db(transaction=True)
WHO = "operator:x"


def ask(client_for: MakeClient, **headers: str) -> tuple[int, str | None]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client_for(None, headers=sent).verify_otp("ada@example.com", "123456")
    return answer.status, answer.error_type


def test_the_form_of_a_key() -> None:
    """C1.2: ghk_<environment>_<12 characters>_<secret and 6 characters of checksum>."""
    for environment in ("live", "test"):
        key = keys.generate(environment)
        assert re.fullmatch(rf"ghk_{environment}_[0-9A-Za-z]{{12}}_[0-9A-Za-z]{{49}}", key.text)
        parsed = keys.parse(key.text)
        assert parsed == key
        assert key.text not in repr(key)


@given(st.integers(0, 65), st.sampled_from(keys.ALPHABET))
def test_a_mistyped_key_is_recognised_offline(place: int, letter: str) -> None:
    text = keys.generate("live").text
    mistyped = text[:place] + letter + text[place + 1 :]
    assert (keys.parse(mistyped) is not None) == (mistyped == text)


@given(st.text(max_size=90))
def test_nothing_else_is_a_key(text: str) -> None:
    assert keys.parse(text) is None


def test_the_checksum_is_crc_32_in_base_62() -> None:
    """CRC-32's check value, 0xCBF43926, written out by hand."""
    assert keys.checksum("123456789") == "3jZRME"


def test_only_id_and_digest_are_stored() -> None:
    """C1.2: the full key is shown once."""
    row, text = factories.api_key(factories.customer())
    stored = " ".join(str(value) for value in ApiKey.objects.filter(id=row.id).values_list()[0])
    assert text.split("_")[3] not in stored
    assert len(bytes(row.digest)) == 32


def test_a_key_identifies_its_customer(client_for: MakeClient) -> None:
    """C1.1: X-OTP-API-Key, or Authorization: Bearer where no access token is taken."""
    _, text = factories.api_key(factories.customer())
    assert ask(client_for, X_OTP_API_Key=text) == (400, "invalid_otp")
    assert ask(client_for, Authorization=f"Bearer {text}") == (400, "invalid_otp")
    _, other = factories.api_key(factories.customer())
    two = ask(client_for, Authorization=f"Bearer {text}", X_OTP_API_Key=other)
    assert two == (400, "conflicting_api_keys")  # C5


def test_no_key_means_the_default_customer(client_for: MakeClient, settings: object) -> None:
    """C1.4: and REQUIRE_API_KEY refuses that."""
    answer = client_for(None).request_otp("ada@example.com")
    assert answer.status == 200
    settings.REQUIRE_API_KEY = True  # type: ignore[attr-defined]
    assert ask(client_for) == (401, "api_key_required")


@pytest.mark.parametrize("text", ["", "x", "ghk_live_000000000000_" + "0" * 49, "Bearer", "ghk_"])
def test_a_wrong_key_never_falls_back_to_the_default_customer(client_for: MakeClient, text: str) -> None:
    """C1.4: 401 invalid_api_key."""
    assert ask(client_for, X_OTP_API_Key=text) == (401, "invalid_api_key")
    assert ask(client_for, X_OTP_API_Key=keys.generate("live").text) == (401, "invalid_api_key")


def test_a_right_id_with_another_secret_is_refused(client_for: MakeClient) -> None:
    row, _ = factories.api_key(factories.customer())
    body = f"ghk_live_{row.key_id}_" + "0" * 43
    assert ask(client_for, X_OTP_API_Key=body + keys.checksum(body)) == (401, "invalid_api_key")


def test_expired_and_revoked_keys_are_refused_at_once(client_for: MakeClient) -> None:
    """C1.3: expiry and revocation."""
    row, text = factories.api_key(factories.customer())
    assert ask(client_for, X_OTP_API_Key=text)[0] == 400
    lifecycle.revoke(row, context=factories.context(WHO))
    assert ask(client_for, X_OTP_API_Key=text) == (401, "invalid_api_key")
    row, text = factories.api_key(factories.customer(), expires_at=timezone.now() + timedelta(hours=1))
    assert ask(client_for, X_OTP_API_Key=text)[0] == 400
    ApiKey.objects.filter(id=row.id).update(expires_at=timezone.now())
    changed(row.customer)
    assert ask(client_for, X_OTP_API_Key=text) == (401, "invalid_api_key")


def test_a_rotated_key_works_for_the_overlap(client_for: MakeClient) -> None:
    """C1.3: rotation with a chosen overlap."""
    row, old = factories.api_key(factories.customer(), scopes=["auth", "users:read"])
    fresh, new = lifecycle.rotate(row, overlap=timedelta(hours=1), context=factories.context(WHO))
    assert fresh.scopes == ["auth", "users:read"]
    assert ask(client_for, X_OTP_API_Key=old)[0] == ask(client_for, X_OTP_API_Key=new)[0] == 400
    _, newest = lifecycle.rotate(fresh, overlap=timedelta(0), context=factories.context(WHO))
    assert ask(client_for, X_OTP_API_Key=new) == (401, "invalid_api_key")
    assert ask(client_for, X_OTP_API_Key=newest)[0] == 400
    with pytest.raises(ValidationFailed):
        lifecycle.rotate(fresh, overlap=timedelta(0), context=factories.context(WHO))


def test_a_key_does_only_what_it_is_for(client_for: MakeClient) -> None:
    """C1.3: scopes; `auth` is the default."""
    _, text = factories.api_key(factories.customer(), scopes=["internal"])
    assert ask(client_for, X_OTP_API_Key=text) == (403, "permission_denied")
    with pytest.raises(ValidationFailed):
        factories.api_key(factories.customer(), scopes=["everything"])


def test_last_use_is_written_at_most_once_a_minute(client_for: MakeClient) -> None:
    """C1.3: last_used_at."""
    row, text = factories.api_key(factories.customer())
    ask(client_for, X_OTP_API_Key=text)
    first = ApiKey.objects.get(id=row.id).last_used_at
    assert first is not None
    ask(client_for, X_OTP_API_Key=text)
    assert ApiKey.objects.get(id=row.id).last_used_at == first


def test_the_allowlist_binds_keys(client_for: MakeClient) -> None:
    """C1.6: networks of both families; IPv4-mapped addresses count as IPv4; none means all."""
    customer = factories.customer()
    _, text = factories.api_key(customer)
    customers.replace_allowlist(
        customer=customer, networks={"192.0.2.0/24": "", "2001:db8::/32": ""}, context=factories.context(WHO)
    )

    def status(ip: str) -> int:
        return client_for(None, headers={"X-OTP-API-Key": text}, ip=ip).verify_otp("a@example.com", "123456").status

    assert [status(ip) for ip in ("192.0.2.9", "::ffff:192.0.2.9", "2001:db8::7")] == [400] * 3
    assert [status(ip) for ip in ("198.51.100.1", "2001:db9::7", "", "::ffff:198.51.100.1")] == [403] * 4
    assert Event.objects.filter(action="address_refused", severity="medium").exists()
    customers.replace_allowlist(customer=customer, networks={}, context=factories.context(WHO))
    assert status("198.51.100.1") == 400


def test_a_forged_forwarded_for_does_not_pass_the_allowlist(client_for: MakeClient, settings: object) -> None:
    """C1.6: the header counts only from a trusted proxy, and then its right-most untrusted entry."""
    customer = factories.customer()
    _, text = factories.api_key(customer)
    customers.replace_allowlist(customer=customer, networks={"192.0.2.0/24": ""}, context=factories.context(WHO))

    def status(peer: str, header: str) -> int:
        headers = {"X-OTP-API-Key": text, "X-Forwarded-For": header}
        return client_for(None, headers=headers, ip=peer).verify_otp("a@example.com", "123456").status

    assert status("198.51.100.1", "192.0.2.1") == 403
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]  # type: ignore[attr-defined]
    assert status("198.51.100.1", "192.0.2.1") == 403
    assert status("10.0.0.1", "192.0.2.1") == 400
    assert status("10.0.0.1", "192.0.2.1, 198.51.100.1") == 403
    assert status("10.0.0.1", "192.0.2.1, 10.0.0.2") == 400
    assert status("10.0.0.1", "192.0.2.1, nonsense") == 403


def test_the_allowlist_binds_tokens_when_the_customer_says_so(client_for: MakeClient) -> None:
    """C1.6: enforce_allowlist_on_tokens."""
    customer = factories.customer()
    customers.replace_allowlist(customer=customer, networks={"192.0.2.0/24": ""}, context=factories.context(WHO))
    pair = factories.session(factories.user(customer))
    outside = client_for(None, ip="198.51.100.1")
    assert outside.get("/api/auth/me", token=pair.access).status == 200
    factories.policy(customer, enforce_allowlist_on_tokens=True)
    assert outside.get("/api/auth/me", token=pair.access).error_type == "ip_not_allowed"
    assert outside.refresh(pair.refresh).error_type == "ip_not_allowed"
    assert client_for(None).get("/api/auth/me", token=pair.access).status == 200


def test_a_key_beside_a_token_must_be_of_the_same_customer(client_for: MakeClient) -> None:
    """C1.5: a token of one customer is worthless at another."""
    one, other = factories.customer(), factories.customer()
    pair = factories.session(factories.user(one))
    assert client_for(one).get("/api/auth/me", token=pair.access).status == 200
    assert client_for(other).get("/api/auth/me", token=pair.access).error_type == "invalid_api_key"


def test_a_suspended_customer_is_refused_on_every_path(client_for: MakeClient) -> None:
    """C1.8: keys and tokens, at once."""
    customer = factories.customer()
    client, pair = client_for(customer), factories.session(factories.user(customer))
    client.request_otp("ada@example.com")
    customers.suspend(customer, context=factories.context(WHO))
    answers = [
        client.request_otp("ada@example.com"),
        client.verify_otp("ada@example.com", "123456"),
        client.call("GET", "/api/sandbox/messages"),
        client.refresh(pair.refresh),
        client_for(None).get("/api/auth/me", token=pair.access),
    ]
    assert [(answer.status, answer.error_type) for answer in answers] == [(403, "customer_suspended")] * 5


def test_the_command_makes_a_working_key(client_for: MakeClient, capsys: pytest.CaptureFixture[str]) -> None:
    factories.customer(slug="shop")
    call_command("make_api_key", customer="shop", name="Web")
    text = capsys.readouterr().out.strip().splitlines()[-1]
    assert ask(client_for, X_OTP_API_Key=text)[0] == 400
    with pytest.raises(CommandError, match="no customer 'nobody'"):
        call_command("make_api_key", customer="nobody", name="Web")
