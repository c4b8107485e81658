"""The outbox: mail that must go out, its transports, templates and ledger."""
