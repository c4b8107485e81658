"""How things stand now: read once from PostgreSQL, remembered by each process, and forgotten when PostgreSQL says that it changed.

A room declares what it remembers (`kinds`), reads it (`reading`), and announces each change in the transaction that makes
it (`announcements`). What is remembered counts only while the `lease` is young; an answer to a request that announced
something is held back until every such lease has run out (`hold_back`). The argument why nothing stale can be trusted after
the answer: docs/decisions/0010-state-told-by-postgresql.md.
"""
