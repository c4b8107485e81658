"""The first page of the admin: what needs doing, and what has happened today, or in 7 or 30 days."""
