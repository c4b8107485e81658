"""No password goes to a cache or a broker unless its certificate is valid for the host that was named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from amqp.exceptions import AMQPError
from celery import Celery
from django_redis.cache import RedisCache
from redis.exceptions import RedisError

from config import databases, tls
from config.settings import base
from tests.config.tls_server import TlsServer, certificate_for, serving

PASSWORD = "s3cret-of-the-broker"
Ask = Callable[[str, str], None]


def ask_cache(url: str, ca_file: str) -> None:
    """A round trip as the service makes it, with its own settings for this URL."""
    settings = valkey_settings(url, ca_file)
    cache = RedisCache(settings.pop("LOCATION"), settings)
    cache.client.get_client().ping()


def valkey_settings(url: str, ca_file: str) -> dict[str, Any]:
    before, base.REDIS_CA_FILE = base.REDIS_CA_FILE, ca_file
    try:
        settings = base.valkey_cache(url)
    finally:
        base.REDIS_CA_FILE = before
    return settings


def ask_broker(url: str, ca_file: str) -> None:
    """As web, worker and beat connect: with Celery's settings for this URL."""
    before, base.REDIS_CA_FILE = base.REDIS_CA_FILE, ca_file
    try:
        settings = base.use_engines(database_url="postgresql://u@h/d", redis_url=url)
    finally:
        base.REDIS_CA_FILE = before
    app = Celery("asking", broker=settings["CELERY_BROKER_URL"], set_as_current=False)
    app.conf.broker_use_ssl = settings["CELERY_BROKER_USE_SSL"]
    app.conf.broker_transport_options = {**base.CELERY_BROKER_TRANSPORT_OPTIONS, "socket_timeout": 3}
    with app.connection_for_write(connect_timeout=3) as connection:
        connection.ensure_connection(max_retries=1, timeout=3)
        connection.default_channel.client.ping()


every_engine = pytest.mark.parametrize(
    ("ask", "scheme"), [(ask_cache, "rediss"), (ask_broker, "rediss")], ids=["cache", "broker"]
)


def url_of(server: TlsServer, scheme: str, *, host: str = "127.0.0.1", query: str = "") -> str:
    return f"{scheme}://:{PASSWORD}@{host}:{server.port}/0{query}"


@every_engine
@pytest.mark.parametrize(
    "query",
    ["", "?ssl_cert_reqs=none", "?ssl_cert_reqs=CERT_NONE&ssl_check_hostname=false", "?ssl_check_hostname=false"],
)
def test_nothing_of_the_password_goes_to_a_server_that_nobody_vouches_for(
    tmp_path: Path, ask: Ask, scheme: str, query: str
) -> None:
    """Whatever the URL says: the start-up check refuses such a query, and here it has no effect."""
    with serving(certificate_for(tmp_path, "127.0.0.1")) as server:
        with pytest.raises(Exception, match=r"CERTIFICATE_VERIFY_FAILED|certificate verify failed"):
            ask(url_of(server, scheme, query=query), "")
        assert server.received == b""


@every_engine
def test_nothing_goes_to_a_server_with_another_hosts_certificate(tmp_path: Path, ask: Ask, scheme: str) -> None:
    certificate = certificate_for(tmp_path, "another.test")
    with serving(certificate) as server:
        with pytest.raises(Exception, match=r"(?i)IP address mismatch|doesn't match"):
            ask(url_of(server, scheme), str(certificate))
        assert server.received == b""


@every_engine
@pytest.mark.parametrize("place", ["setting", "url"])
def test_a_server_with_a_good_certificate_is_spoken_to(tmp_path: Path, ask: Ask, scheme: str, place: str) -> None:
    certificate = certificate_for(tmp_path, "127.0.0.1")
    with serving(certificate) as server:
        query = f"?ssl_ca_certs={certificate}" if place == "url" else ""
        try:
            ask(url_of(server, scheme, query=query), str(certificate) if place == "setting" else "")
        except (RedisError, OSError) as error:  # this server does not know how to go on; the password has come through
            assert "CERTIFICATE" not in str(error)
        assert server.handshakes > 0
        assert PASSWORD.encode() in server.received


@pytest.mark.parametrize(("host", "spoken_to"), [("127.0.0.1", True), ("another.test", False)])
def test_amqps_checks_the_name_of_the_host_too(tmp_path: Path, host: str, spoken_to: bool) -> None:
    """By default kombu accepts any valid certificate, whatever host it is for."""
    certificate = certificate_for(tmp_path, host)
    with serving(certificate) as server:
        app = Celery("asking", broker=f"amqps://u:{PASSWORD}@127.0.0.1:{server.port}//", set_as_current=False)
        app.conf.broker_use_ssl = tls.broker_options(app.conf.broker_url, str(certificate))
        with pytest.raises((OSError, AMQPError)), app.connection_for_write(connect_timeout=3) as connection:
            connection.connect()
        assert (server.received != b"") is spoken_to


def test_without_tls_nothing_is_said_about_it() -> None:
    assert tls.options("redis://h/0", "/ca.pem") == {}
    assert tls.broker_options("redis+socket:///run/valkey.sock", "/ca.pem") is False
    assert tls.broker_options("redis://a/0;rediss://b/0", "/ca.pem") == tls.options("rediss://b/0", "/ca.pem")
    assert tls.without_tls_parameters("unix:///run/v.sock?db=0") == "unix:///run/v.sock?db=0"
    assert (
        tls.without_tls_parameters("rediss://h/0?ssl_cert_reqs=none&health_check_interval=3")
        == "rediss://h/0?health_check_interval=3"
    )


@pytest.mark.parametrize("sslmode", ["verify-full", "require", ""])
def test_what_the_database_url_says_about_tls_reaches_libpq(sslmode: str) -> None:
    url = "postgresql://u:p@db.test/d" + (f"?sslmode={sslmode}&sslrootcert=system" if sslmode else "")
    options = databases.plain(base.env, url)["OPTIONS"]
    assert (options.get("sslmode"), options.get("sslrootcert")) == ((sslmode, "system") if sslmode else (None, None))
