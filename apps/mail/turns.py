"""Whose turn it is: customers in rounds, one message each, so that nobody waits behind the many messages of another customer.

A message that is posted joins the round after the last that its customer waits in, or the one at hand. Workers take rounds in
their order, and within one the oldest message first. So it is fair at any speed of the mail server (round robin); a customer's own
messages keep their order. A message that was tried before stands in no line: it has a time of its own.
"""

from django.db.models import Q

from apps.mail.models import MessageState

IN_LINE = Q(state=MessageState.QUEUED, attempts=0)
ORDER = ("turn", "created_at")

# The round that a message joins. Of two that are posted at the same moment both may join the same: no harm, and nobody waits.
NEXT = """GREATEST(
    (SELECT max(turn) + 1 FROM mail_message WHERE customer_id = %(customer_id)s AND state = 'queued' AND attempts = 0),
    (SELECT min(turn) FROM mail_message WHERE state = 'queued' AND attempts = 0),
    0)"""
