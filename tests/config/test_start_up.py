"""C9: one message names every fault of the environment, and there is never a traceback."""

from pathlib import Path

import pytest

from config import environment
from config.environment import ConfigurationError
from tests.config.installation import GOOD, in_production, run

FAULTY = {
    "EMAIL_TIMEOUT_SECONDS": "abc",
    "MAIL_LEASE_SECONDS": "-1",
    "SECURE_HSTS_SECONDS": "x",
    "SECURE_SSL_REDIRECT": "ture",
    "DATABASE_CONN_MAX_AGE": "1m",
    "VALKEY_TIMEOUT_SECONDS": "nan",
    "REQUIRE_API_KEY": "true # for all",
    "ALLOW_CUSTOMER_SIGNUP": "nope",
    "OPERATOR_SECOND_FACTOR_REQUIRED": "2",
    "IDENTITY_CHECK_PRIVATE_ADDRESSES": "perhaps",
    "TRUSTED_PROXIES": "nonsense",
    "LOG_LEVEL": "loud",
    "EMAIL_URL": "consolemail://",
    "EMAIL_URL_FALLBACK": "smtp://u:s3cret#@mail.test",
    "REDIS_URL": "valkey://:s3cret@valkey.test/0",
    "REDIS_CLUSTER_NODES": "redis://valkey-2.test:6379",
    "REDIS_CA_FILE": "/nonexistent/ca.pem",
    "CELERY_BROKER_URL": "rediss://:s3cret@valkey.test/0?ssl_cert_reqs=none",
    "DATABASE_LISTEN_URL": "mysql://u:s3cret@db.test/d",
    "DATABASE_POOLED": "perhaps",
    "DATABASE_STATEMENT_TIMEOUT_SECONDS": "10s",
    "DATABASE_LOCK_TIMEOUT_SECONDS": "-1",
    "DATABASE_IDLE_IN_TRANSACTION_SECONDS": "inf",
    "DATABASE_URL": "mysql://u:s3cret@db.test/d",
    "MASTER_KEYS": "neither id nor key, but as long as it takes",
    "SERVICE_ENCRYPTION_KEY_PREVIOUS": "s3cret",
}
ONLY_IN_PRODUCTION = {
    "PUBLIC_URL": "https://auth.gatehouse.test/path",
    "ALLOWED_HOSTS": "https://auth.gatehouse.test",
    "DEFAULT_FROM_EMAIL": "no-reply@localhost",
    "SMS_HTTP_URL": "http://sms.test/",
    "SMS_BACKEND": "apps.mail.sms_transports.Console",
    "SECRET_KEY": "change-me",
}
SET_UP = ("-c", "import django; django.setup()")


def test_production_names_every_fault_at_once_and_no_secret() -> None:
    faulty = {**FAULTY, **ONLY_IN_PRODUCTION}
    result = in_production({**GOOD, **faulty}, *SET_UP)
    assert result.returncode == 1
    assert [name for name in faulty if f"  - {name} " not in result.stderr] == []
    assert f"{len(faulty)} fault(s)" in result.stderr, result.stderr
    assert "Traceback" not in result.stderr
    assert "s3cret" not in result.stderr


@pytest.mark.parametrize(
    "command",
    [("-c", "import config.wsgi"), ("manage.py", "migrate"), ("-m", "celery", "--app", "config.celery", "worker")],
)
def test_every_entry_point_says_it_so(command: tuple[str, ...]) -> None:
    result = in_production({**GOOD, "EMAIL_TIMEOUT_SECONDS": "abc"}, *command)
    assert result.returncode != 0
    assert "EMAIL_TIMEOUT_SECONDS must be a number above zero" in result.stderr + result.stdout
    assert "Traceback" not in result.stderr + result.stdout


def test_development_says_it_too(tmp_path: Path) -> None:
    result = run(
        {**FAULTY, "DJANGO_SETTINGS_MODULE": environment.DEVELOPMENT, "GATEHOUSE_DATA_DIR": str(tmp_path)}, *SET_UP
    )
    assert result.returncode == 1
    in_production_alone = {"SECURE_HSTS_SECONDS", "SECURE_SSL_REDIRECT"}
    read_later = {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "DATABASE_CONN_MAX_AGE"}
    read_later |= {name for name in FAULTY if name.endswith(("_TIMEOUT_SECONDS", "_TRANSACTION_SECONDS"))} - {
        "EMAIL_TIMEOUT_SECONDS",
        "VALKEY_TIMEOUT_SECONDS",
    }
    expected = set(FAULTY) - in_production_alone - read_later
    assert [name for name in expected if f"  - {name} " not in result.stderr] == []
    assert "Traceback" not in result.stderr
    assert "s3cret" not in result.stderr


@pytest.mark.parametrize("url", ["unix:///run/valkey.sock?db=0", "redis://valkey.test:6379/1"])
def test_a_cluster_has_a_url_and_a_broker_that_fit(url: str) -> None:
    """Celery speaks to no cluster: its mails would wait for the sweeper, and nobody would know why."""
    result = in_production({**GOOD, "REDIS_URL": url, "REDIS_CLUSTER_NODES": "valkey.test:6379"}, *SET_UP)
    assert "CELERY_BROKER_URL is missing" in result.stderr
    assert "REDIS_URL must be redis://HOST:PORT/0" in result.stderr
    broker = {"CELERY_BROKER_URL": "amqps://u:p@rabbit.test//", "REDIS_CLUSTER_NODES": "valkey.test:6379"}
    assert in_production({**GOOD, **broker}, *SET_UP).returncode == 0


@pytest.mark.parametrize(("content", "why"), [(b"\xff\xfe", "it is not UTF-8 text"), (b"a\0b", "holds a NUL byte")])
def test_a_secret_file_that_holds_no_text_is_named(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"SECRET_KEY_FILE names .*{why}"):
        environment._text_of("SECRET_KEY", str(tmp_path / "file"))


def test_a_secret_file_that_is_not_there_is_named() -> None:
    result = in_production({**GOOD, "SECRET_KEY": "", "SECRET_KEY_FILE": "/nonexistent/secret"}, *SET_UP)
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert "SECRET_KEY_FILE names /nonexistent/secret" in result.stderr


def test_a_blank_optional_value_is_as_if_it_were_not_set() -> None:
    """Compose passes `NAME=` on as an empty value."""
    blank = dict.fromkeys(set(FAULTY) - set(GOOD), "")
    assert in_production({**GOOD, **blank}, *SET_UP).returncode == 0


def test_a_password_that_would_cross_the_network_in_the_clear_is_warned_about(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:s3cret@valkey.test:6379/0")
    environment.warn_about_production()
    said = capsys.readouterr().err
    assert "REDIS_URL sends its password unencrypted" in said
    assert "s3cret" not in said
