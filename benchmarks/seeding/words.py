"""What seeded rows hold, as SQL over their number `n`. What a row refers to follows from its number, so nothing is looked up.

`of.user` and `of.customer` are the numbers of the user and the customer that a row belongs to.
"""

from datetime import datetime

from django.conf import settings
from psycopg import sql

from apps.audit import address_hashes

FUNCTIONS = """
CREATE OR REPLACE FUNCTION pg_temp.id(kind int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  -- A UUIDv7 of the n-th millisecond of 2026.
  SELECT ('0' || to_hex(((1767225600000 + n) << 16) | (28672 + kind)) || to_hex(n | '-9223372036854775808'::bigint))::uuid
$$;
CREATE OR REPLACE FUNCTION pg_temp.share(n bigint, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  -- As if by chance: from 0 to 1.
  SELECT (hashint8extended(n, salt) & 2147483647)::float8 / 2147483648
$$;
CREATE OR REPLACE FUNCTION pg_temp.one_of(words text[], share float8) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT words[1 + floor(share * cardinality(words))::int]
$$;
CREATE OR REPLACE FUNCTION pg_temp.customer_of(user_number bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  -- Few customers have many users, and many have few.
  SELECT {first} + floor({customers} * power(pg_temp.share(user_number, 1), 2))::bigint
$$;
CREATE OR REPLACE FUNCTION pg_temp.user_of(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT {first} + floor({users} * pg_temp.share(n, 2))::bigint
$$;
CREATE OR REPLACE FUNCTION pg_temp.ago(share float8, hours float8) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
  SELECT to_timestamp(floor({now} - 3600 * hours * share))
$$;
CREATE OR REPLACE FUNCTION pg_temp.agent(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT pg_temp.one_of({agents}, pg_temp.share(n, 9))
$$;
CREATE OR REPLACE FUNCTION pg_temp.address_hash(address text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  -- HMAC-SHA256 (RFC 2104) by the installation's own key: refusals are found by their address, as real ones are.
  SELECT sha256({outer_pad} || sha256({inner_pad} || convert_to(address, 'UTF8')))
$$;
"""
MOZILLA = "Mozilla/5.0"
AGENTS = [
    f"{MOZILLA} (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
    f"{MOZILLA} (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    f"{MOZILLA} (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148",
    f"{MOZILLA} (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    "okhttp/5.1.0",
]

CUSTOMER_ID, SECRET_ID, USER_ID, SESSION_ID, REFRESH_ID, ACCESS_ID, EVENT_ID, MAIL_ID, KEY_ID = range(1, 10)

CUSTOMER = {
    "id": f"pg_temp.id({CUSTOMER_ID}, n)",
    "slug": "'seeded-' || n",
    "name": """CASE WHEN n = pg_temp.first() THEN 'First seeded ' || n ELSE
        pg_temp.one_of('{Northern,Blue,United,Green,Old,Clear,Bright,Inner}', pg_temp.share(n, 2)) || ' ' ||
        pg_temp.one_of('{Harbour,Mills,Robotics,Dental,Logistics,Books,Energy,Foods}', pg_temp.share(n, 3)) || ' ' || n END""",
    "status": "CASE WHEN pg_temp.share(n, 4) < 0.98 THEN 'active' ELSE 'suspended' END",
    "created_at": "pg_temp.ago(pg_temp.share(n, 5), 26280)",
}
API_KEY = {
    "id": f"pg_temp.id({KEY_ID}, n)",
    "customer_id": f"pg_temp.id({CUSTOMER_ID}, n)",
    "key_id": "'s' || lpad(n::text, 11, '0')",
    "digest": "sha256(gen_random_uuid()::text::bytea)",  # of no key
    "name": "'Server'",
    "created_at": "pg_temp.ago(pg_temp.share(n, 5), 26280)",
}
USER = {
    "id": f"pg_temp.id({USER_ID}, n)",
    "customer_id": f"pg_temp.id({CUSTOMER_ID}, of.customer)",
    "email": "'seeded.' || n || '@example.com'",
    "email_identity": "'seeded.' || n || '@example.com'",
    "email_verified_at": "CASE WHEN pg_temp.share(n, 4) < 0.97 THEN pg_temp.ago(pg_temp.share(n, 5), 17520) END",
    "name": """pg_temp.one_of('{Ada,Alan,Grace,Edsger,Barbara,Donald,Radia,Ken}', pg_temp.share(n, 2)) || ' ' ||
        pg_temp.one_of('{Adler,Baker,Costa,Dahl,Engel,Fischer,Garcia,Hansen}', pg_temp.share(n, 3))""",
    "locale": "pg_temp.one_of('{en,de,\"\"}', pg_temp.share(n, 6))",
    "role": "CASE WHEN pg_temp.share(n, 7) < 0.02 THEN 'admin' ELSE 'company_user' END",
    "status": """CASE WHEN pg_temp.share(n, 4) < 0.96 THEN 'active' WHEN pg_temp.share(n, 4) < 0.97 THEN 'deactivated'
        ELSE 'pending' END""",
    "created_at": "pg_temp.ago(pg_temp.share(n, 5), 17520)",
    "last_sign_in_at": "pg_temp.ago(pg_temp.share(n, 5) * pg_temp.share(n, 8), 17520)",
}
# A tenth has ended; the others go on for as long as a refresh token lives.
BEGAN = "pg_temp.ago(pg_temp.share(n, 5), 164)"
SESSION = {
    "id": f"pg_temp.id({SESSION_ID}, n)",
    "customer_id": f"pg_temp.id({CUSTOMER_ID}, of.customer)",
    "user_id": f"pg_temp.id({USER_ID}, of.user)",
    "ip": "inet '198.18.0.0' + floor(131072 * pg_temp.share(n, 6))::bigint",
    "user_agent": "pg_temp.agent(n)",
    "created_at": BEGAN,
    "last_activity_at": BEGAN,
    "auth_time": BEGAN,
    "amr": "'otp'",
    "expires_at": f"{BEGAN} + interval '7 days'",
    "ended_at": f"CASE WHEN pg_temp.share(n, 7) < 0.1 THEN {BEGAN} + interval '1 minute' END",
    "end_reason": "CASE WHEN pg_temp.share(n, 7) < 0.1 THEN 'logout' ELSE '' END",
    "request_mark": "sha256(n::text::bytea)",
}
REFRESH_TOKEN = {
    "id": f"pg_temp.id({REFRESH_ID}, n)",
    "session_id": f"pg_temp.id({SESSION_ID}, n)",
    "signing_secret_id": f"pg_temp.id({SECRET_ID}, of.customer)",
    "access_jti": f"pg_temp.id({ACCESS_ID}, n)",
    "issued_at": BEGAN,
    "access_expires_at": f"{BEGAN} + interval '7 hours'",
    "expires_at": f"{BEGAN} + interval '7 days'",
}
SENT = "pg_temp.ago(pg_temp.share(n, 5), 2160)"
MAIL = {
    "id": f"pg_temp.id({MAIL_ID}, n)",
    "customer_id": f"pg_temp.id({CUSTOMER_ID}, of.customer)",
    "user_id": f"pg_temp.id({USER_ID}, of.user)",
    "kind": "'sign_in_code'",
    "recipient": "'seeded.' || of.user || '@example.com'",
    "state": "CASE WHEN pg_temp.share(n, 4) < 0.99 THEN 'sent' ELSE 'failed' END",
    "created_at": SENT,
    "next_try_at": SENT,
    "expires_at": f"{SENT} + interval '10 minutes'",
    "code_set": "left(encode(sha256(of.user::text::bytea), 'base64'), 43)",
    "code_spent_at": f"CASE WHEN pg_temp.share(n, 6) < 0.8 THEN {SENT} + interval '1 minute' END",
}
ACTIONS = [  # what happens most comes most often
    *["sign_in", "code_requested", "token_refreshed", "token_refreshed", "token_refreshed", "logout", "session_ended"],
    *["code_rejected", "password_rejected", "profile_changed", "role_changed", "new_device", "policy_changed"],
]
REFUSED_EVERY = 20  # events
REFUSED = f"(n - pg_temp.first()) %% {REFUSED_EVERY} = 0"
ACTION = f"CASE WHEN {REFUSED} THEN 'refused' ELSE pg_temp.one_of('{{{','.join(ACTIONS)}}}', pg_temp.share(n, 4)) END"
USER_OF_EVENT = f"pg_temp.id({USER_ID}, of.user)"
EVENT = {
    "id": f"pg_temp.id({EVENT_ID}, n)",
    "at": "pg_temp.moment(n)",
    "customer_id": f"pg_temp.id({CUSTOMER_ID}, of.customer)",
    "user_id": USER_OF_EVENT,
    "actor": f"""CASE WHEN {ACTION} IN ('policy_changed', 'role_changed')
        THEN 'operator:operator' || floor(20 * pg_temp.share(n, 7)) || '@example.com'
        WHEN {ACTION} IN ('code_requested', 'code_rejected', 'password_rejected') THEN 'anonymous'
        ELSE 'user:' || {USER_OF_EVENT} END""",
    "action": ACTION,
    "outcome": f"""CASE WHEN {REFUSED} THEN 'denied' WHEN {ACTION} NOT LIKE '%%_rejected' THEN 'success'
        WHEN pg_temp.share(n, 8) < 0.9 THEN 'failure' ELSE 'denied' END""",
    "severity": f"""CASE WHEN {ACTION} LIKE '%%_rejected' THEN 'low' WHEN {ACTION} = 'new_device' THEN 'medium'
        ELSE 'info' END""",
    "ip": "inet '198.18.0.0' + floor(131072 * pg_temp.share(n, 6))::bigint",
    "user_agent": "pg_temp.agent(n)",
    "request_id": "lpad(to_hex(hashint8extended(n, 10)), 16, '0') || lpad(to_hex(hashint8extended(n, 11)), 16, '0')",
    "details": f"""CASE WHEN {REFUSED} THEN '{{"rule": "resend", "step": "ask_for_code"}}'::jsonb
        ELSE jsonb_build_object('session', pg_temp.id({SESSION_ID}, n)) END""",
}
CHAIN_LINK = {
    "event_id": f"pg_temp.id({EVENT_ID}, n)",
    "customer_id": f"pg_temp.id({CUSTOMER_ID}, of.customer)",
    "position": "n",
    "hash": "sha256(n::text::bytea)",
}
MOMENTS = """
CREATE OR REPLACE FUNCTION pg_temp.first() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT {first}::bigint';
CREATE OR REPLACE FUNCTION pg_temp.moment(n bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
  -- Events in their order, over 90 days.
  SELECT to_timestamp({now} - 7776000 * (1 - (n - {first}) / {events}::float8))
$$;
"""


def functions(*, first: int, customers: int, users: int, events: int, now: datetime) -> sql.Composed:
    """What the expressions above call: of this connection alone."""
    numbers = {"first": first, "customers": customers, "users": users, "events": max(events, 1)}
    others = {"now": now.timestamp(), "agents": AGENTS, **_pads_of_addresses()}
    facts = {name: sql.Literal(value) for name, value in {**numbers, **others}.items()}
    return sql.SQL(FUNCTIONS + MOMENTS).format(**facts)


def _pads_of_addresses() -> dict[str, bytes]:
    """The key of address hashes as HMAC takes it (RFC 2104 section 2): PostgreSQL has no HMAC without an extension."""
    key = address_hashes.key_of(settings.SECRET_KEY).ljust(64, b"\0")
    return {"inner_pad": bytes(byte ^ 0x36 for byte in key), "outer_pad": bytes(byte ^ 0x5C for byte in key)}
