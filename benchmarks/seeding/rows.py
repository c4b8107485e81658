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
from apps.audit.models import ChainLink, Event
from apps.customers.models import Customer
from apps.mail.models import Message
from apps.tokens.models import RefreshToken, Session
from apps.users.models import User
from benchmarks.seeding import words
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
