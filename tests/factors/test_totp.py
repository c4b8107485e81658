"""Authenticator apps: the published vectors, enrolment, and that no code is accepted twice."""

import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from django.utils import timezone

from apps.audit.models import Event
from apps.factors import totp
from apps.factors.models import RecoveryCode, Totp
from apps.mail.models import Message
from tests import factories
from tests.conftest import MakeClient
from tests.factors.enrolling import wrong_totp
from tests.races import at_once
from tests.signin.entering import enrol_app

# RFC 4226 appendix D and RFC 6238 appendix B: the ASCII secret "12345678901234567890".
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
HOTP = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
TOTP = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
    20000000000: "353130",
}


@pytest.mark.parametrize("counter", range(10))
def test_rfc_4226_appendix_d(counter: int) -> None:
    now = datetime.fromtimestamp(counter * 30, UTC)
    assert totp.step_of(HOTP[counter], SECRET, now) == counter


@pytest.mark.parametrize("seconds", sorted(TOTP))
def test_rfc_6238_appendix_b(seconds: int) -> None:
    """The last six of the eight digits that it prints, for SHA-1."""
    assert totp.step_of(TOTP[seconds], SECRET, datetime.fromtimestamp(seconds, UTC)) == seconds // 30


def test_oathtool_agrees() -> None:
    if shutil.which("oathtool") is None and not os.environ.get("CI"):
        pytest.skip("oathtool is not installed (Debian: apt install oathtool)")
    now = timezone.now()
    printed = subprocess.run(
        ["oathtool", "--totp", "--base32", SECRET, "--now", f"{now:%Y-%m-%d %H:%M:%S} UTC"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert totp.step_of(printed.stdout.strip(), SECRET, now) == int(now.timestamp()) // 30


@pytest.mark.parametrize(("off", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_either_side_is_taken(off: int, taken: bool) -> None:
    now = timezone.now()
    step = int(now.timestamp()) // 30 + off
    code = pyotp.TOTP(SECRET).at(step * 30)
    assert (totp.step_of(code, SECRET, now) == step) is taken


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "٣٤٥٦٧٨", "000 000", "-00001", "1e5"])
def test_what_is_no_code_is_none(code: str) -> None:
    assert totp.step_of(code, SECRET, timezone.now()) is None


@pytest.mark.django_db(transaction=True)
class TestEnrolling:
    def test_an_app_counts_once_a_first_code_has_confirmed_it(self, client_for: MakeClient) -> None:
        customer = factories.customer(name="Analytical Engines")
        user = factories.user(customer)
        client, token = client_for(customer), factories.session(user).access
        begun = client.post("/api/auth/2fa/totp", {}, token=token)
        assert (begun.status, begun.encrypted) == (201, True)
        assert begun.document["uri"].startswith("otpauth://totp/Analytical%20Engines:ada%40example.com?secret=")
        assert "<svg" in begun.document["qr_svg"]
        assert client.get("/api/auth/2fa", token=token).document["methods"] == []
        app = pyotp.TOTP(begun.document["secret"])
        refused = client.post("/api/auth/2fa/totp/confirm", {"code": wrong_totp(app)}, token=token)
        assert refused.error_type == "invalid_otp"
        done = client.post("/api/auth/2fa/totp/confirm", {"code": app.now()}, token=token)
        assert done.status == 200
        assert len(set(done.document["recovery_codes"])) == 10
        overview = client.get("/api/auth/2fa", token=token).document
        assert overview["methods"] == ["totp", "recovery_code"]
        assert overview["recovery_codes_left"] == 10
        assert Event.objects.get(action="factor_enrolled").details == {"factor": "totp"}
        assert Message.objects.get().kind == "factor_added"

    def test_a_wrong_first_code_is_counted_for_the_account(self, client_for: MakeClient) -> None:
        """C8: an event; and one more wrong second factor in a row."""
        customer = factories.customer()
        user = factories.user(customer)
        client, token = client_for(customer), factories.session(user).access
        app = pyotp.TOTP(client.post("/api/auth/2fa/totp", {}, token=token).document["secret"])
        wrong = {"code": wrong_totp(app)}
        assert client.post("/api/auth/2fa/totp/confirm", wrong, token=token).error_type == "invalid_otp"
        user.refresh_from_db()
        assert (user.wrong_second_factors, user.wrong_codes) == (1, 0)
        event = Event.objects.get(action="second_factor_rejected")
        assert (event.outcome, event.user_id) == ("failure", user.id)

    def test_many_who_begin_at_once_leave_one(self, client_for: MakeClient) -> None:
        customer = factories.customer()
        client, token = client_for(customer), factories.session(factories.user(customer)).access
        assert at_once(8, lambda _: client.post("/api/auth/2fa/totp", {}, token=token).status) == [201] * 8
        assert Totp.objects.count() == 1

    def test_the_code_that_confirmed_it_signs_nobody_in(self) -> None:
        user = factories.user(factories.customer())
        customer, now = factories.state_of(user.customer), timezone.now()
        app = pyotp.TOTP(totp.begin(user, customer=customer, now=now).secret)
        totp.confirm(user, app.at(now), customer=customer, context=factories.context(now=now))
        assert not totp.check(user.id, app.at(now), now=now)
        assert totp.check(user.id, app.at(now + timedelta(seconds=30)), now=now)

    def test_another_app_replaces_the_old_one_only_when_confirmed(self, client_for: MakeClient) -> None:
        customer = factories.customer()
        user = factories.user(customer)
        old = enrol_app(user)
        client, token = client_for(customer), factories.session(user).access
        new = pyotp.TOTP(client.post("/api/auth/2fa/totp", {}, token=token).document["secret"])
        assert totp.check(user.id, old.now(), now=timezone.now())
        done = client.post("/api/auth/2fa/totp/confirm", {"code": new.now()}, token=token)
        assert "recovery_codes" not in done.document, "those there are stay good"
        later = timezone.now() + timedelta(seconds=60)
        assert not totp.check(user.id, old.at(later), now=later)
        assert totp.check(user.id, new.at(later), now=later)

    def test_the_secret_is_sealed_and_in_no_event(self) -> None:
        """C2.4: TOTP seeds."""
        user = factories.user(factories.customer())
        app = enrol_app(user)
        row = Totp.objects.get()
        assert app.secret not in str(list(Totp.objects.values()))
        assert app.secret not in str(list(Event.objects.values()))
        assert row.pending_secret == ""

    def test_of_a_hundred_uses_of_one_code_one_is_taken(self) -> None:
        user = factories.user(factories.customer())
        app, now = enrol_app(user), timezone.now()
        code = app.at(now)
        assert at_once(100, lambda _: totp.check(user.id, code, now=now), threads=100).count(True) == 1

    def test_a_code_of_an_earlier_step_is_dead_once_a_later_was_taken(self) -> None:
        user = factories.user(factories.customer())
        app, now = enrol_app(user), timezone.now()
        assert totp.check(user.id, app.at(now), now=now)
        assert not totp.check(user.id, app.at(now - timedelta(seconds=30)), now=now)

    def test_an_app_of_another_user_is_none_of_mine(self) -> None:
        one, other = factories.user(factories.customer()), factories.user(factories.customer())
        app = enrol_app(one)
        enrol_app(other)
        assert not totp.check(other.id, app.now(), now=timezone.now())

    def test_removing_it_takes_the_recovery_codes_too(self, client_for: MakeClient) -> None:
        customer = factories.customer()
        user = factories.user(customer)
        enrol_app(user)
        client, token = client_for(customer), factories.session(user).access
        assert client.delete("/api/auth/2fa/totp", token=token).status == 200
        assert not Totp.objects.exists()
        assert not RecoveryCode.objects.exists()
        assert client.delete("/api/auth/2fa/totp", token=token).status == 404
        assert Event.objects.filter(action="factor_removed").count() == 1
        assert Message.objects.filter(kind="factor_removed").count() == 1

    def test_the_last_one_stays_where_one_is_required(self, client_for: MakeClient) -> None:
        customer = factories.customer(second_factor="required")
        user = factories.user(customer)
        enrol_app(user)
        refused = client_for(customer).delete("/api/auth/2fa/totp", token=factories.session(user).access)
        assert (refused.status, refused.error_type) == (409, "second_factor_required")
        assert Totp.objects.exists()
        assert RecoveryCode.objects.count() == 10

    def test_first_codes_cannot_be_guessed_without_end(self, client_for: MakeClient) -> None:
        customer = factories.customer()
        factories.limit(customer, "second_factors_per_user", 2)
        user = factories.user(customer)
        client, token = client_for(customer), factories.session(user).access
        app = pyotp.TOTP(client.post("/api/auth/2fa/totp", {}, token=token).document["secret"])
        wrong = {"code": wrong_totp(app)}
        types = [client.post("/api/auth/2fa/totp/confirm", wrong, token=token).error_type for _ in range(3)]
        assert types == ["invalid_otp", "invalid_otp", "rate_limited"]
