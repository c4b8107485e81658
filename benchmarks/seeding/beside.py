"""What stands beside customers, users, mails and events: clients, roles, factors, checks, steps of mails, refusals.

SQL as in `words`. Each kind has a row for every so many of what it belongs to.
"""

from benchmarks.seeding import words

REFUSED_EVERY = words.REFUSED_EVERY
FACTOR_EVERY, CHECK_EVERY, CODES_OF_A_USER = 20, 30, 10
ROLES, PERMISSIONS, STEPS_OF_A_MAIL = 3, 5, 2
FIRST = "pg_temp.first()"


def owner(*, every: int = 1, rows: int = 1) -> str:
    """The number of what the n-th row belongs to: each `every`-th has `rows` of them."""
    return f"({FIRST} + (n - {FIRST}) / {rows} * {every})"


def _customer(rows: int) -> str:
    return f"pg_temp.id({words.CUSTOMER_ID}, {owner(rows=rows)})"


USER = f"pg_temp.id({words.USER_ID}, of.user)"
CUSTOMER = f"pg_temp.id({words.CUSTOMER_ID}, of.customer)"
WHEN = "pg_temp.ago(pg_temp.share(n, 5), 8760)"
REFUSED = owner(every=REFUSED_EVERY)  # the number of a refusal's event

ROLE = {"id": "pg_temp.id(11, n)", "customer_id": _customer(ROLES), "name": "'role_' || n"}
PERMISSION = {"id": "pg_temp.id(12, n)", "customer_id": _customer(PERMISSIONS), "name": "'files.read_' || n"}
CLIENT = {
    "id": "pg_temp.id(13, n)",
    "customer_id": _customer(1),
    "name": "'Shop ' || n",
    "redirect_uris": """'["https://shop.example.com/signed-in"]'""",
    "created_at": WHEN,
}
QUOTA_USE = {
    "customer_id": _customer(1),
    "day": "(now() AT TIME ZONE 'UTC')::date",
    "month": "date_trunc('month', now() AT TIME ZONE 'UTC')::date",
    "sent_today": "floor(10000 * power(pg_temp.share(n, 4), 4))::bigint",
    "sent_this_month": "floor(200000 * power(pg_temp.share(n, 4), 4))::bigint",
}
TOTP = {"id": "pg_temp.id(14, n)", "user_id": USER, "created_at": WHEN, "confirmed_at": WHEN}
PHONE = {"id": "pg_temp.id(15, n)", "user_id": USER, "hint": "'+49 … ' || n %% 100", "created_at": WHEN}
PASSKEY = {
    "id": "pg_temp.id(16, n)",
    "customer_id": CUSTOMER,
    "user_id": USER,
    "name": "'Phone'",
    "credential_id": "encode(sha256(n::text::bytea), 'hex')",
    "public_key": "''::bytea",
    "created_at": WHEN,
}
RECOVERY_CODE = {
    "id": "pg_temp.id(17, n)",
    "user_id": USER,
    "digest": "sha256(n::text::bytea)",
    "created_at": WHEN,
}
CHECK = {
    "id": "pg_temp.id(18, n)",
    "customer_id": CUSTOMER,
    "user_id": USER,
    "state": "pg_temp.one_of('{waiting,approved,approved,approved,rejected}', pg_temp.share(n, 4))",
    "created_at": WHEN,
}
LEDGER_ENTRY = {
    "id": "pg_temp.id(19, n)",
    "message_id": f"pg_temp.id({words.MAIL_ID}, {owner(rows=STEPS_OF_A_MAIL)})",
    "at": WHEN,
    "step": f"CASE (n - {FIRST}) %% {STEPS_OF_A_MAIL} WHEN 0 THEN 'accepted' ELSE 'code_used' END",
    "server": "'smtp.example.com'",
}
REFUSAL = {
    "event_id": f"pg_temp.id({words.EVENT_ID}, {REFUSED})",
    "customer_id": CUSTOMER,
    "address_hash": "pg_temp.address_hash('seeded.' || of.user || '@example.com')",
    "count": "1 + floor(5 * pg_temp.share(n, 6))::int",
    "first_at": f"pg_temp.moment({REFUSED})",
    "last_at": f"pg_temp.moment({REFUSED}) + interval '1 minute'",
}
