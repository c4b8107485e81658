"""End users of one customer each. Never Django users."""
