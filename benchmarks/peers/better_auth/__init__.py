"""better-auth on Node, built as its documentation says: PostgreSQL by `pg`, codes by its emailOTP plugin."""
