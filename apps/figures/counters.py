"""What each counter counts in an hour: a query that gives (customer_id, kind, label) for each row that counts.

What a row counts as is said here once. `operators/figure_rows.py` says the same as the query of a list, and a test compares
the two on the same rows.
"""

from dataclasses import dataclass
from datetime import timedelta

from apps.customers.operator_mails import OperatorMail
from apps.figures.latency import BOUNDS
from apps.figures.models import FigureKind

# Messages with a code to enter. Not their code set, which erasing the user empties.
CODE_KINDS = (
    "sign_in_code",
    "verify_email_code",
    "change_email_code",
    "reauthentication_code",
    "second_factor_code",
    "second_factor_sms",
)

# Each query has the parameters `since` and `until`.
EVENTS = """
SELECT event.customer_id, figure.kind, figure.label
FROM audit_event AS event
CROSS JOIN LATERAL (VALUES
    ('sign_in', coalesce(event.details->>'method', ''), event.action = 'sign_in'),
    ('failure', concat_ws('/', event.action, event.details->>'rule'), event.outcome <> 'success'),
    ('security', event.severity || '/' || event.action, event.severity <> 'info')
) AS figure (kind, label, counts)
WHERE event.at >= %(since)s AND event.at < %(until)s AND figure.counts
  AND (event.action = 'sign_in' OR event.outcome <> 'success' OR event.severity <> 'info')
"""

# Customer by customer, since that is what the table has an index for; a customer costs some microseconds.
# Mails to operators are rows of the default customer, and nobody's: they count for everyone alone.
MAILS = f"""
SELECT CASE WHEN message.kind NOT IN ({", ".join(f"'{kind}'" for kind in OperatorMail)}) THEN message.customer_id END
       AS customer_id, figure.kind, figure.label
FROM customers_customer AS customer
JOIN LATERAL (
    SELECT id, customer_id, kind, channel, state, created_at FROM mail_message
    WHERE customer_id = customer.id AND created_at >= %(since)s AND created_at < %(until)s
      AND state IN ('queued', 'taken', 'sent', 'failed')
    OFFSET 0
) AS message ON true
LEFT JOIN LATERAL (
    SELECT extract(epoch FROM min(at) FILTER (WHERE step = 'accepted') - message.created_at) AS seconds,
           bool_or(step = 'code_used') AS is_redeemed
    FROM mail_ledgerentry WHERE message_id = message.id AND message.state = 'sent'
) AS ledger ON true
CROSS JOIN LATERAL (VALUES
    ('mail_waiting', '', message.state IN ('queued', 'taken')),
    ('mail_failed', '', message.state = 'failed'),
    ('code_sent', '', message.state = 'sent' AND message.kind IN ({", ".join(f"'{kind}'" for kind in CODE_KINDS)})),
    ('code_redeemed', '', message.state = 'sent' AND ledger.is_redeemed),
    ('mail_time', width_bucket(ledger.seconds::float8, ARRAY[{", ".join(map(str, BOUNDS))}]::float8[])::text,
     message.state = 'sent' AND message.channel = 'email' AND ledger.seconds IS NOT NULL)
) AS figure (kind, label, counts)
WHERE figure.counts
"""  # noqa: S608  (our own constants)

# Those alive at `until`: so only the present hour can be counted.
SESSIONS = """
SELECT customer_id, 'session' AS kind, '' AS label FROM tokens_session
WHERE expires_at > %(until)s AND (ended_at IS NULL OR ended_at > %(until)s) AND created_at <= %(until)s
"""


@dataclass(frozen=True)
class Counter:
    """`rows`: the query. `rests`: how long the present hour is left alone after it was counted.

    `only_now`: it counts what there is, and knows nothing of the past.
    """

    name: str
    kinds: tuple[FigureKind, ...]
    rows: str
    rests: timedelta = timedelta(0)
    only_now: bool = False


COUNTERS = (
    Counter("events", (FigureKind.SIGN_IN, FigureKind.FAILURE, FigureKind.SECURITY), EVENTS),
    Counter(
        "mails",
        (
            FigureKind.CODE_SENT,
            FigureKind.CODE_REDEEMED,
            FigureKind.MAIL_TIME,
            FigureKind.MAIL_WAITING,
            FigureKind.MAIL_FAILED,
        ),
        MAILS,
    ),
    Counter("sessions", (FigureKind.SESSION,), SESSIONS, rests=timedelta(minutes=10), only_now=True),
)
