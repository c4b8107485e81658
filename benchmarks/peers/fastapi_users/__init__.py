"""fastapi-users, built as its "Full example" has it: SQLAlchemy with asyncpg, bearer tokens, JWT with the user read from the database."""
