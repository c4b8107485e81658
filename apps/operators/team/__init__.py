"""Who the operators are."""
