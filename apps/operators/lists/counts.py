"""How many rows a list has: counted where that is cheap, else as PostgreSQL estimates it."""

import json
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

# What a count may cost, in the units of PostgreSQL's planner: some 100,000 rows, or 20 ms.
CHEAP = 5_000
DIGITS = 3  # of an estimate: more would only look exact


@dataclass(frozen=True)
class Count:
    number: int
    is_exact: bool = True


def count(queryset: QuerySet[Any]) -> Count:
    """One EXPLAIN, and a count if that says that it is cheap."""
    rows = queryset.order_by().values("pk")
    plan = _plan_of(rows)
    if plan is None:
        return Count(0)
    if plan["Total Cost"] <= CHEAP:
        return Count(rows.count())
    return Count(_rounded(plan["Plan Rows"]), is_exact=False)


def estimate(queryset: QuerySet[Any]) -> int:
    """How many rows PostgreSQL expects, by one EXPLAIN."""
    plan = _plan_of(queryset.order_by().values("pk"))
    return int(plan["Plan Rows"]) if plan else 0


def _plan_of(rows: QuerySet[Any, Any]) -> dict[str, Any] | None:
    """None: no row can fit, so Django asks PostgreSQL nothing."""
    explained = rows.explain(format="json")
    return json.loads(explained)[0]["Plan"] if explained else None


def _rounded(number: int) -> int:
    return round(number, min(0, DIGITS - len(str(number))))
