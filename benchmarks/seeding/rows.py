"""Which rows there are, table by table, and the statement that makes them.

Columns that `words` does not name have their field's default, so that a new column needs no change here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, models
from psycopg import sql

from apps.api_keys.models import ApiKey
from apps.approvals.models import IdentityCheck
from apps.audit.models import ChainLink, Event, Refusal
from apps.customers.models import Customer
from apps.factors.models import Passkey, Phone, RecoveryCode, Totp
from apps.mail.models import LedgerEntry, MailQuotaUse, Message
from apps.oauth.models import RegisteredClient
from apps.tokens.models import RefreshToken, Session
from apps.users.models import Permission, Role, User
from benchmarks.seeding import beside, words
from benchmarks.seeding.scale import Scale

STEP = 100_000_000  # numbers between two runs, so that they share none

# OFFSET 0: worked out once for each row, and not in each column anew.
NUMBERS = """generate_series(%s::bigint, %s::bigint) AS n
CROSS JOIN LATERAL (SELECT {user} AS number OFFSET 0) AS found
CROSS JOIN LATERAL (SELECT found.number AS user, pg_temp.customer_of(found.number) AS customer OFFSET 0) AS of
"""


@dataclass(frozen=True)
class Run:
    """One run: how many of each, the number of the first, and when it is."""

    scale: Scale
    first: int
    now: datetime


@dataclass(frozen=True)
class Table:
    """Rows of one model: what each column holds, as SQL over the row's number `n`."""

    model: type[models.Model]
    count: int
    columns: Mapping[str, str]
    user: str = "pg_temp.user_of(n)"  # the number of the user that a row belongs to

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @property
    def statement(self) -> str:
        """It takes the first and the last number."""
        values = {**_defaults(self.model), **self.columns}
        names, chosen = ", ".join(f'"{name}"' for name in values), ", ".join(values.values())
        return f"INSERT INTO {self.name} ({names}) SELECT {chosen} FROM {NUMBERS.format(user=self.user)}"  # noqa: S608


def begin(cursor: Any, scale: Scale, *, now: datetime) -> Run:
    """A run whose numbers no run before has used; and the functions that its rows are written with."""
    cursor.execute("SELECT count(*) FROM customers_customer WHERE name LIKE 'First seeded %%'", [])
    run = Run(scale, first=cursor.fetchone()[0] * STEP + 1, now=now)
    numbers = {"customers": scale.customers, "users": scale.users, "events": scale.events}
    cursor.execute(words.functions(first=run.first, now=now, **numbers))
    return run


def tables(scale: Scale) -> list[Table]:
    """In the order in which they refer to one another."""
    return [
        Table(Customer, scale.customers, words.CUSTOMER),
        Table(ApiKey, scale.customers, words.API_KEY),
        Table(User, scale.users, words.USER, user="n"),
        Table(Session, scale.sessions, words.SESSION),
        Table(RefreshToken, scale.sessions, words.REFRESH_TOKEN),
        Table(Message, scale.mails, words.MAIL),
        Table(Event, scale.events, words.EVENT),
        Table(ChainLink, scale.events, words.CHAIN_LINK),
        *_beside(scale),
    ]


def _beside(scale: Scale) -> list[Table]:
    """In proportion to what they belong to."""
    with_factor, factor = scale.users // beside.FACTOR_EVERY, beside.owner(every=beside.FACTOR_EVERY)
    checks, codes = scale.users // beside.CHECK_EVERY, with_factor * beside.CODES_OF_A_USER
    refusals, refused = scale.events // beside.REFUSED_EVERY, f"pg_temp.user_of({beside.REFUSED})"
    owner_of_codes = beside.owner(every=beside.FACTOR_EVERY, rows=beside.CODES_OF_A_USER)
    return [
        Table(Role, scale.customers * beside.ROLES, beside.ROLE),
        Table(Permission, scale.customers * beside.PERMISSIONS, beside.PERMISSION),
        Table(RegisteredClient, scale.customers, beside.CLIENT),
        Table(MailQuotaUse, scale.customers, beside.QUOTA_USE),
        Table(Totp, with_factor, beside.TOTP, user=factor),
        Table(Phone, with_factor, beside.PHONE, user=factor),
        Table(Passkey, with_factor, beside.PASSKEY, user=factor),
        Table(RecoveryCode, codes, beside.RECOVERY_CODE, user=owner_of_codes),
        Table(IdentityCheck, checks, beside.CHECK, user=beside.owner(every=beside.CHECK_EVERY)),
        Table(LedgerEntry, scale.mails * beside.STEPS_OF_A_MAIL, beside.LEDGER_ENTRY),
        Table(Refusal, refusals, beside.REFUSAL, user=refused),
    ]


def _defaults(model: type[models.Model]) -> dict[str, str]:
    """What each column holds in a row that says nothing about it. What PostgreSQL fills itself is left out."""
    columns = model._meta.concrete_fields
    own = (field for field in columns if not (field.primary_key or field.generated or field.has_db_default()))
    return {field.column: _literal(field) for field in own}


def _literal(field: "models.Field[Any, Any]") -> str:
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return "now()"
    value = field.get_db_prep_save(field.get_default(), connection)
    with connection.cursor() as cursor:
        return sql.Literal(value).as_string(cursor.connection).replace("%", "%%")
