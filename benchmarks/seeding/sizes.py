"""How many bytes a row takes in PostgreSQL, with all its indexes."""

from typing import Any

SIZES = """
SELECT relname, GREATEST(reltuples, 0)::bigint, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND reltuples >= 1000 ORDER BY pg_total_relation_size(oid) DESC
"""


def table(cursor: Any) -> str:
    """A line for each table of a thousand rows and more."""
    cursor.execute(SIZES)
    lines = [f"{'table':28}{'rows':>12}{'MiB':>10}{'bytes a row':>14}{'of indexes':>12}"]
    for name, rows, heap, indexes in cursor.fetchall():
        total = heap + indexes
        lines.append(f"{name:28}{rows:>12,}{total >> 20:>10,}{total / rows:>14.0f}{indexes / rows:>12.0f}")
    return "\n".join(lines)
