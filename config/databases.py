"""How PostgreSQL is reached, and how long requests and tasks wait for it.

A request that waits without bound holds a thread, and one locked table would soon hold them all. The bounds go to the server with the
connection, as the start-up parameter `options`. A transaction pooler refuses that: behind one they are set on the role
(docs/operations.md), and commands that take their time connect directly, by DATABASE_LISTEN_URL.
"""

from typing import Any

from environ import Env

from config.environment import Environment

# For TCP, in seconds: a host that died without a word is noticed after a quarter of a minute, both by senders and by waiters.
KEEPALIVE = {"keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 3, "keepalives_count": 3}
CONNECT_TIMEOUT_SECONDS, USER_TIMEOUT_MILLISECONDS = 5, 15_000
# The same on the server's side: locks of a client that died without a word are free again after half a minute.
OF_THE_SERVER = {"tcp_keepalives_idle": "15s", "tcp_keepalives_interval": "5s", "tcp_keepalives_count": "3"}


def bounds(env: Environment) -> dict[str, str]:
    """PostgreSQL's parameters that bound every wait of requests and background tasks."""
    seconds = {
        "statement_timeout": env.float("DATABASE_STATEMENT_TIMEOUT_SECONDS", default=10),
        "lock_timeout": env.float("DATABASE_LOCK_TIMEOUT_SECONDS", default=3),
        "idle_in_transaction_session_timeout": env.float("DATABASE_IDLE_IN_TRANSACTION_SECONDS", default=15),
    }
    return {name: f"{value}s" for name, value in seconds.items()}


def with_parameters(settings: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    """The connection with these parameters; those in the URL itself win."""
    options = settings.get("OPTIONS", {})
    text = " ".join(f"-c {name}={value}" for name, value in {**OF_THE_SERVER, **parameters}.items())
    return {**settings, "OPTIONS": {**options, "options": f"{text} {options.get('options', '')}".rstrip()}}


def plain(env: Environment, url: str) -> dict[str, Any]:
    """Django's settings for a PostgreSQL URL, without bounds: connections are kept, and checked before use."""
    parsed: dict[str, Any] = Env.db_url_config(url)
    return {
        **parsed,
        "ENGINE": "config.postgresql",
        "ATOMIC_REQUESTS": False,  # A flow decides inside its transaction and raises after commit.
        "CONN_HEALTH_CHECKS": True,
        "CONN_MAX_AGE": env.int("DATABASE_CONN_MAX_AGE", default=60),
        "DISABLE_SERVER_SIDE_CURSORS": True,  # behind a transaction pooler they end with their transaction; nothing here needs them
        "OPTIONS": {
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "tcp_user_timeout": USER_TIMEOUT_MILLISECONDS,
            **KEEPALIVE,
            **parsed.get("OPTIONS", {}),
        },
    }


def bounded(env: Environment, url: str, *, is_pooled: bool) -> dict[str, Any]:
    """DATABASES["default"]. Statements of `apps.core.prepared` are prepared at their first use.

    Not behind a transaction pooler: there the next transaction may meet another server, where they are not known.
    """
    return plain(env, url) if is_pooled else _preparing(with_parameters(plain(env, url), bounds(env)))


def _preparing(settings: dict[str, Any]) -> dict[str, Any]:
    return {**settings, "OPTIONS": {"prepare_threshold": 0, **settings["OPTIONS"]}}


def unhurried(env: Environment, url: str, *, listen_url: str, is_pooled: bool) -> dict[str, Any] | None:
    """For commands that take their time. None if only a pooler can be reached: then the role's bounds hold for them too."""
    if is_pooled and not listen_url:
        return None
    unbounded = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
    return with_parameters(plain(env, listen_url or url), unbounded)
