"""What addresses in the settings must look like.

Each function returns the text as it came, or raises ValueError saying what is wrong with it. The text itself is never repeated, since
passwords stand in such URLs.
"""

import re
import ssl
from email.utils import getaddresses
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlsplit

from kombu.transport import TRANSPORT_ALIASES

from apps.core import client_address

HOST = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?))*|\[[0-9a-f:.]+\]"
PUBLIC_URL = re.compile(rf"https://(?:{HOST})(?::[1-9]\d{{0,4}})?/?")
ALLOWED_HOST = re.compile(rf"\.?(?:{HOST})", re.IGNORECASE)
SENDER = re.compile(
    r"(?!\.)(?!.*\.\.)(?!.*\.@)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z][A-Za-z0-9-]*)"
)
# All but the last of several hosts, which urlsplit does not understand.
SEVERAL_HOSTS = re.compile(r"^([a-z]+://(?:[^/?#]*@)?)(?:[^/?#,@:]+(?::\d{1,5})?,)+")
INVISIBLE = re.compile(r"[\s\x00-\x20\x7f]")
NOWHERE = ("localhost", "localdomain")

POSTGRESQL_SCHEMES = ("postgresql", "postgres", "pgsql", "psql")
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
VALKEY_SCHEMES = ("redis", "rediss", "unix")
COMPOUND_SCHEMES = ("redis+socket", "sqla+", "sqlalchemy+")
SMTP_SCHEMES = ("smtp", "smtps", "smtp+tls", "smtp+ssl")
# The URL of cache or broker may name files for TLS, and nothing else: certificate and host name are always checked.
TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
TLS_CHECKS = {"ssl_cert_reqs": ("required", "CERT_REQUIRED"), "ssl_check_hostname": ("true", "True", "1")}
# Names that lead nowhere outside a machine or its network. There, http and unencrypted passwords are allowed.
INSIDE = re.compile(r"[^.]*|.*\.(localhost|local|internal|lan|svc)")


def public_url(text: str) -> str:
    """https, a host, perhaps a port, as a browser writes it: origins are compared as text."""
    if not text.startswith("https://"):
        raise ValueError("must start with https:// in production")
    if not text.isascii():
        raise ValueError("must name its host in ASCII: write the domain as its A-label (xn--…)")
    if not PUBLIC_URL.fullmatch(text):
        raise ValueError(
            "must be https://HOST or https://HOST:PORT in lower case, and nothing else: no path, query, fragment or user name"
        )
    if text.rstrip("/").endswith(":443"):
        raise ValueError("must leave out :443, as browsers do")
    _split(text)
    return text


def hosts(text: str) -> str:
    """Host names, comma-separated, as ALLOWED_HOSTS compares them."""
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise ValueError("must name hosts, comma-separated")
    for host in names:
        if host == "*":
            raise ValueError("must name hosts; * accepts any")
        if not ALLOWED_HOST.fullmatch(host):
            raise ValueError(
                "must list host names such as auth.example.com, without scheme, port or path; "
                "subdomains as .example.com, domains beyond ASCII as their A-label (xn--…)"
            )
    return text


def postgresql(text: str) -> str:
    """A PostgreSQL database, on one host or several (comma-separated). What its query says (sslmode, …) goes to libpq."""
    parts = _split(SEVERAL_HOSTS.sub(r"\1", text))
    if parts.scheme not in POSTGRESQL_SCHEMES:
        raise ValueError("must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
    options = dict(parse_qsl(parts.query))
    if len(parts.path) < 2 and not options.get("service"):
        raise ValueError("names no database: postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
    if options.get("sslmode", "prefer") not in SSL_MODES:
        raise ValueError(f"has an sslmode that is none of {', '.join(SSL_MODES)}")
    return text


def valkey(text: str) -> str:
    """A Valkey or Redis database."""
    parts = _split(text)
    if parts.scheme not in VALKEY_SCHEMES:
        raise ValueError("must be redis://HOST:PORT/0, rediss://HOST:PORT/0 (TLS) or unix:///PATH?db=0")
    if parts.scheme == "unix":
        if len(parts.path) < 2 or parts.hostname:
            raise ValueError("names no socket: unix:///PATH?db=0")
    elif not parts.hostname or not re.fullmatch(r"/?\d{0,5}", parts.path):
        raise ValueError("must be redis://HOST:PORT/0 or rediss://HOST:PORT/0, with the database's number as path")
    _refuse_unchecked_tls(parts)
    return text


def cluster_nodes(text: str) -> str:
    """Nodes of a Valkey cluster, comma-separated."""
    for node in filter(None, text.split(",")):
        host_and_port(node.strip())
    return text


def is_of_cluster(url: str) -> bool:
    """Whether a Valkey cluster can be found by this URL: it is no socket's, and names no database but the first."""
    parts = urlsplit(url)
    return parts.scheme in ("redis", "rediss") and parts.path in ("", "/", "/0")


def host_and_port(text: str) -> tuple[str, int]:
    """A server by its name or address, and its port. Raises ValueError."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port or parts.netloc != parts.netloc.rpartition("@")[2] or parts.path:
        raise ValueError("must list nodes as HOST:PORT, comma-separated")
    return host, port


def broker(text: str) -> str:
    """One or several brokers, as Celery takes them: separated by semicolons."""
    for url in filter(None, text.split(";")):
        parts = _split(url)
        if parts.scheme == "memory":
            raise ValueError("must lead out of the process: what is queued in memory reaches no worker")
        if parts.scheme not in TRANSPORT_ALIASES and not parts.scheme.startswith(COMPOUND_SCHEMES):
            raise ValueError("has a scheme that Celery knows no broker for")
        _refuse_unchecked_tls(parts)
    return text


def smtp(text: str) -> str:
    """A server that takes mail."""
    parts = _split(text)
    if parts.scheme not in SMTP_SCHEMES or not parts.hostname:
        raise ValueError(
            "must be smtp+tls://USER:PASSWORD@HOST:587, smtp+ssl://USER:PASSWORD@HOST:465 or smtp://HOST:25"
        )
    return text


def web(text: str) -> str:
    """An address to post codes to: https, or http within a machine or its network."""
    parts = _split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be https://HOST/PATH")
    if parts.scheme == "http" and not is_inside(parts.hostname):
        raise ValueError("must start with https://: codes and the token would cross the network in the clear")
    return text


def issuer(text: str) -> str:
    """An OpenID Connect provider: https, or http on this machine, without query and fragment."""
    parts = _split(text)
    if parts.query or parts.fragment or parts.username:
        raise ValueError("must be https://HOST or https://HOST/PATH, as the provider itself writes it")
    return web(text)


def networks(text: str) -> str:
    """Networks or addresses, comma-separated."""
    try:
        client_address.parse_networks(text.split(","))
    except ValueError as error:
        raise ValueError(f"must list networks such as 10.0.0.0/8, comma-separated: {error}") from error
    return text


def sender(text: str) -> str:
    """One mailbox, perhaps with a name before it, at a domain that mail can come from."""
    found = getaddresses([text])
    closed = text.count("<") == text.count(">") == int(text.rstrip().endswith(">"))
    if len(found) != 1 or not closed or text.rstrip().endswith(",") or INVISIBLE.search(text.replace(" ", "")):
        raise ValueError("must be one address: no-reply@auth.example.com or Example <no-reply@auth.example.com>")
    address = found[0][1]
    if not address.isascii():
        raise ValueError("must have an ASCII address: write the domain as its A-label (xn--…)")
    if address.rpartition("@")[2].lower() in NOWHERE:
        raise ValueError("must have a domain of yours: mail from localhost is refused everywhere")
    matched = SENDER.fullmatch(address)
    if not matched or matched[1].lower().endswith(tuple(f".{end}" for end in NOWHERE)):
        raise ValueError("must be one address: no-reply@auth.example.com or Example <no-reply@auth.example.com>")
    return text


def certificates(text: str) -> str:
    """A file of certificates of authorities, PEM."""
    try:
        ssl.create_default_context(cafile=str(Path(text)))
    except (OSError, ValueError) as error:
        raise ValueError("must name a readable file with certificates of authorities (PEM)") from error
    return text


def is_inside(host: str) -> bool:
    """Whether a host is this machine, or has a name that only its own network knows."""
    try:
        found = ip_address(host)
    except ValueError:
        return bool(INSIDE.fullmatch(host.lower()))
    return found.is_private or found.is_loopback


def carries_password_in_clear(text: str) -> bool:
    """Whether the URL sends a password unencrypted to a machine that may be anywhere."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme in ("redis", "smtp", "amqp") and parts.password and not is_inside(parts.hostname or ""))


def _split(text: str) -> SplitResult:
    """The parts of a URL. Its port must be a number, and nothing in it may need percent-encoding."""
    try:
        parts = urlsplit(text)
        broken = bool(parts.fragment or INVISIBLE.search(text))
        broken = broken or parts.port == 0 or not text.startswith(f"{parts.scheme}://")
    except ValueError:
        broken = True
    if broken:
        raise ValueError(
            "is no URL; what is special in its user name and password must be percent-encoded (# is %23, / is %2F, ? is %3F, @ is %40)"
        )
    return parts


def _refuse_unchecked_tls(parts: SplitResult) -> None:
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        a_file = parts.scheme == "rediss" and name in TLS_FILES
        if name.startswith("ssl") and not a_file and value not in TLS_CHECKS.get(name, ()):
            raise ValueError(
                f"must not say {name}: certificate and host name are always checked; a CA of your own goes into REDIS_CA_FILE"
            )
