"""What the environment may say: every fault named at once, and a generated set that is accepted."""

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import environment
from config.environment import ConfigurationError
from tests.config.installation import GOOD, KEY, OTHER_KEY

CHECKOUT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test starts without any of the variables; what it reads into the environment is removed afterwards."""
    before = dict(os.environ)
    for name in GOOD:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    yield
    for name in set(os.environ) - set(before):
        del os.environ[name]


def test_a_good_environment_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, GOOD)
    environment.check_production()


def set_all(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_every_missing_setting_is_named_in_one_message() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        environment.check_production()
    message = str(refusal.value)
    assert [name for name in environment.REQUIRED_IN_PRODUCTION if f"{name} is missing." not in message] == []
    assert "9 fault(s)" in message
    assert "generate_env" in message


def test_faults_of_different_kinds_are_named_together(monkeypatch: pytest.MonkeyPatch) -> None:
    faulty = {
        "SECRET_KEY": "too-short-but-various",
        "MASTER_KEYS": f"k1={KEY}",
        "SERVICE_ENCRYPTION_KEY": "a" * 64,
        "PUBLIC_URL": "http://auth.gatehouse.test",
        "ALLOWED_HOSTS": "auth.gatehouse.test,*",
    }
    set_all(monkeypatch, {**GOOD, **faulty, "EMAIL_URL": " "})
    with pytest.raises(ConfigurationError) as refusal:
        environment.check_production()
    assert [name for name in (*faulty, "EMAIL_URL") if f"  - {name} " not in str(refusal.value)] == []
    assert "6 fault(s)" in str(refusal.value)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"SMS_BACKEND": "apps.mail.sms_transports.Console"}, "SMS_BACKEND must not be the console"),
        ({"OPERATOR_OIDC_CLIENT_ID": "gatehouse"}, "OPERATOR_OIDC_ISSUER is missing"),
        ({"OPERATOR_OIDC_ISSUER": "https://id.example.test"}, "OPERATOR_OIDC_CLIENT_ID is missing"),
        ({"OPERATOR_OIDC_ISSUER": "http://id.example.test"}, "OPERATOR_OIDC_ISSUER must start with https://"),
        ({"OPERATOR_OIDC_ISSUER": "https://id.example.test?a=b"}, "OPERATOR_OIDC_ISSUER must be https://HOST"),
        ({"OPERATOR_PASSWORD_SIGN_IN": "false"}, "OPERATOR_PASSWORD_SIGN_IN must stay true"),
        ({"SMS_BACKEND": "apps.mail.sms_transports.Http"}, "SMS_HTTP_URL is missing"),
        (
            {"SMS_BACKEND": "apps.mail.sms_transports.Twilio", "SMS_TWILIO_FROM": "Acme"},
            "SMS_TWILIO_AUTH_TOKEN is missing",
        ),
    ],
)
def test_an_sms_backend_that_cannot_work_is_refused(
    monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str], said: str
) -> None:
    set_all(monkeypatch, {**GOOD, **chosen})
    with pytest.raises(ConfigurationError, match=said):
        environment.check_production()


@pytest.mark.parametrize("name", environment.SECRETS)
@pytest.mark.parametrize("value", ["change-me-" * 5, "django-insecure-" + KEY, "<your secret here>" * 3, "0" * 64])
def test_a_placeholder_is_refused_however_long(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    set_all(monkeypatch, {**GOOD, name: value})
    with pytest.raises(ConfigurationError, match=f"{name} is a known placeholder or guessable"):
        environment.check_production()


@pytest.mark.parametrize("name", environment.SECRETS)
def test_a_refusal_does_not_print_the_secret(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    secret = "jT4kXo9wQe2"
    set_all(monkeypatch, {**GOOD, name: secret})
    with pytest.raises(ConfigurationError, match=name) as refusal:
        environment.check_production()
    assert secret not in str(refusal.value)


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{GOOD['SECRET_KEY']}\n", encoding="utf-8")
    set_all(monkeypatch, {name: value for name, value in GOOD.items() if name != "SECRET_KEY"})
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "secret"))

    environment._read_secret_files()
    assert os.environ["SECRET_KEY"] == GOOD["SECRET_KEY"]
    environment.check_production()


def test_a_variable_wins_over_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file", encoding="utf-8")
    set_all(monkeypatch, {"SECRET_KEY": "from the variable", "SECRET_KEY_FILE": str(tmp_path / "secret")})
    environment._read_secret_files()
    assert os.environ["SECRET_KEY"] == "from the variable"


def test_an_unreadable_file_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "absent"))
    with pytest.raises(ConfigurationError, match=r"SECRET_KEY_FILE names .*absent.* cannot be read"):
        environment._read_secret_files()


@pytest.mark.parametrize("text", ["0", "10001", "fast"])
def test_a_lease_out_of_bounds_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """C9: without a lease each request would cost a query; a long lease would delay every sign-out."""
    monkeypatch.setenv("STATE_LEASE_MS", text)
    env = environment.Environment()
    assert env.int("STATE_LEASE_MS", default=100, most=10_000) == 100
    assert "STATE_LEASE_MS must be" in env.faults[0]


def test_master_keys_keep_their_order() -> None:
    keys = environment.parse_master_keys(f"k2:{KEY}, k1:{OTHER_KEY},")
    assert list(keys) == ["k2", "k1"]
    assert keys["k2"] == base64.urlsafe_b64decode(KEY + "=")
    assert environment.parse_master_keys("") == {}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (KEY, "form id:base64url"),
        (f"a key:{KEY}", "form id:base64url"),
        (f":{KEY}", "form id:base64url"),
        (f"k1:{KEY},k1:{OTHER_KEY}", "'k1' twice"),
        (f"k1:{KEY[:-4]}", "'k1' holds 29 bytes"),
        ("k1:no base64 at all!", "'k1' is neither"),
        (f"k1:{KEY},k2:", "'k2' holds 0 bytes"),
    ],
)
def test_malformed_master_keys_are_refused_with_the_reason(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        environment.parse_master_keys(text)


@pytest.mark.parametrize("text", [KEY, KEY + "=", base64.urlsafe_b64decode(KEY + "=").hex(), f"  {KEY}\n"])
def test_32_bytes_may_be_hex_or_base64url_padded_or_not(text: str) -> None:
    assert environment.decode_32_bytes(text) == base64.urlsafe_b64decode(KEY + "=")


def test_the_example_names_every_setting_that_is_read_and_no_other() -> None:
    read = set(environment.REQUIRED_IN_PRODUCTION)
    for path in (CHECKOUT / "config").rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        read |= set(re.findall(r'env\.(?:str|list|bool|int|float)\(\s*"([A-Z_]+)"', source))
        read |= set(re.findall(r'os\.environ(?:\.get\(|\[)"([A-Z_]+)"', source))
    example = (CHECKOUT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    of_compose = set(re.findall(r"\$\{([A-Z_]+)", (CHECKOUT / "compose.yaml").read_text(encoding="utf-8")))
    assert named == read | of_compose
