"""C9: an address among the settings that could not work, or would work differently than meant, is refused."""

import pytest

from config import addresses
from config.environment import FORMS_IN_PRODUCTION

ACCEPTED = {
    "PUBLIC_URL": [
        "https://auth.example.com",
        "https://auth.example.com/",
        "https://auth.example.com:8443",
        "https://localhost",
        "https://[::1]:8443",
        "https://auth.xn--grohandel-shop-2fb.example",
    ],
    "ALLOWED_HOSTS": ["auth.example.com", "auth.example.com, .example.org ,127.0.0.1,[::1]", "localhost"],
    "DATABASE_URL": [
        "postgresql://gatehouse:pa$$w%23rd@db.test:5432/gatehouse?sslmode=verify-full&sslrootcert=system",
        "postgres://gatehouse@/gatehouse?host=/run/postgresql",
        "postgresql://u@a.test,b.test/gatehouse?target_session_attrs=read-write",
        "postgresql://u:p@h/?service=gatehouse",
    ],
    "REDIS_URL": [
        "redis://valkey.test:6379/0",
        "rediss://:pa%2Fss@valkey.test/1?ssl_ca_certs=/etc/ssl/ca.pem",
        "unix:///run/valkey.sock?db=0",
        "redis://h",
        "rediss://h/0?ssl_cert_reqs=required&ssl_check_hostname=true",
        "unix://:pw@/run/valkey.sock",
    ],
    "CELERY_BROKER_URL": [
        "amqps://u:p@rabbit.test//",
        "redis://h/1;redis://i/1",
        "sqs://",
        "redis+socket:///run/valkey.sock?virtual_host=0",
        "rediss://h/1",
    ],
    "EMAIL_URL": [
        "smtp://localhost:25",
        "smtp+tls://u%40example.com:p%23@smtp.test:587",
        "smtp+ssl://smtp.test",
        "smtps://smtp.test",
    ],
    "REDIS_CLUSTER_NODES": ["valkey-1.test:6379", "10.0.0.1:6379, [fd00::1]:7000", ""],
    "TRUSTED_PROXIES": ["10.0.0.0/8, 127.0.0.1,fd00::/8", ""],
    "SMS_HTTP_URL": [
        "https://sms.test/send",
        "http://127.0.0.1:9/x",
        "http://gateway:8080/send",
        "http://10.1.2.3/",
        "http://sms.internal/",
    ],
    "DEFAULT_FROM_EMAIL": [
        "no-reply@auth.example.com",
        "Exämple <no-reply@auth.example.com>",
        '"Acme, Inc." <a+b@acme.test>',
        "a@xn--grohandel-shop-2fb.example",
    ],
    "LOG_LEVEL": ["INFO", "debug"],
}
ACCEPTED["DATABASE_URL"] += [
    "postgresql://u:p%2Cq@a.test:5432,b.test:5433/gatehouse",
    "postgresql://[::1]:5432/gatehouse",
]
REFUSED = {
    "PUBLIC_URL": [
        "http://auth.example.com",
        "auth.example.com",
        "https://",
        "https://auth.example.com/gatehouse",
        "https://auth.example.com//",
        "https://auth.example.com?x",
        "https://auth.example.com/?",
        "https://auth.example.com#x",
        "https://u:p@auth.example.com",
        "https://auth.example.com junk",
        "https://auth.example.com,https://b.example",
        "https://auth.example.com:port",
        "https://auth.example.com:0",
        "https://auth.example.com:70000",
        "https://auth.example.com:443",
        "https://Auth.example.com",
        "HTTPS://auth.example.com",
        "https://auth.großhandel.example",
        "https://-a.example",
        "https://a..example",
        " https://auth.example.com",
        "https://auth.example.com\n",
        "https://*.example.com",
        "https:///auth.example.com",
        "https://a_b.example",
    ],
    "ALLOWED_HOSTS": [
        ",",
        "[",
        "*",
        "a.example,*",
        "https://a.example",
        "a.example:443",
        "a.example/x",
        "*.example.com",
        "größe.example",
        "a b",
    ],
    "DATABASE_URL": [
        "postgresql://u:pa/ss@a,b/d",
        "postgresql://a:1,b:port/d",
        "postgresql://[/d",
        "mysql://u:p@h/d",
        "sqlite:///db",
        "postgresql://u:pa#ss@h/d",
        "postgresql://u:pa/ss@h/d",
        "postgresql://u:p?ss@h/d",
        "postgresql://u:p@h",
        "postgresql://u:p@h/",
        "postgresql://u:p@h:port/d",
        "postgresql://u:p@h/d#x",
        "postgresql://u:p@h/d?sslmode=yes",
        "h",
        "postgresql:u@h/d",
        "postgresql://u:p[x@h/d",
    ],
    "REDIS_URL": [
        "unix://relative/path",
        "unix:relative",
        "redis://h/0?ssl_ca_certs=/ca.pem",
        "valkey://h",
        "http://h",
        "redis://",
        "redis:///0",
        "redis://h/zero",
        "redis://h:port/0",
        "unix://",
        "REDISS://h/0",
        "rediss://h/0?ssl_cert_reqs=none",
        "rediss://h/0?ssl_check_hostname=false",
        "rediss://h/0?ssl_cert_reqs=CERT_NONE",
        "rediss://h/0?ssl_cert_reqs=optional",
        "redis://:pa#ss@h/0",
    ],
    "CELERY_BROKER_URL": [
        "memory://",
        "; ;",
        "amqps://h?ssl_ca_certs=/ca.pem",
        "amqps://h?ssl=false",
        "http://h",
        "rabbit",
        "rediss://h/0?ssl_cert_reqs=CERT_NONE",
        "redis://a;rediss://b?ssl_cert_reqs=none",
        "rediss+x://h",
        "REDISS://h",
    ],
    "EMAIL_URL": [
        "consolemail://",
        "smtp://",
        "smtp.test",
        "smtp+tls://u:p#w@smtp.test:587",
        "smtp+tls://u:p@smtp.test:port",
        "http://smtp.test",
    ],
    "REDIS_CLUSTER_NODES": ["valkey-1.test", "redis://h:6379", "h:0", "h:port", ":6379", "u:p@h:6379", "h:1/0"],
    "TRUSTED_PROXIES": ["nonsense", "10.0.0.1/8", "10.0.0.0/33", "*", "nginx"],
    "SMS_HTTP_URL": ["http://sms.test/send", "http://8.8.8.8/", "ftp://sms.test", "sms.test/send"],
    "DEFAULT_FROM_EMAIL": [
        "a@example.com,",
        "a..b@example.com",
        "a.@example.com",
        "undisclosed: ;",
        "no-reply@localhost",
        "Gatehouse <no-reply@LOCALHOST>",
        "a@localhost.localdomain",
        "no-reply",
        "no-reply@",
        "@example.com",
        "a@b@example.com",
        "no-reply@example",
        "no-reply@großhandel.example",
        "größe@example.com",
        "a@example.com, b@example.com",
        "Acme <a@example.com",
        "a@example.com\nBcc: b@example.com",
        "a b@example.com",
        "a@192.0.2.1",
        "a@[192.0.2.1]",
        "a@-.example\x00",
    ],
    "LOG_LEVEL": ["loud", "10"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in ACCEPTED.items() for text in texts])
def test_what_works_is_accepted(name: str, text: str) -> None:
    FORMS_IN_PRODUCTION[name](text)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in REFUSED.items() for text in texts])
def test_what_cannot_work_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"^(must|is|has|names) ") as refusal:
        FORMS_IN_PRODUCTION[name](text)
    assert len(text) < 12 or text not in str(refusal.value), "passwords stand in URLs"


@pytest.mark.parametrize(
    ("url", "in_clear"),
    [
        ("redis://:secret@valkey.test/0", True),
        ("rediss://:secret@valkey.test/0", False),
        ("redis://:secret@valkey:6379/0", False),
        ("redis://valkey.test/0", False),
        ("smtp://u:secret@smtp.test", True),
        ("smtp://u:secret@127.0.0.1", False),
        ("smtp+tls://u:secret@smtp.test", False),
        ("redis://[", False),
    ],
)
def test_a_password_in_the_clear_is_noticed(url: str, in_clear: bool) -> None:
    assert addresses.carries_password_in_clear(url) is in_clear
