"""Who waits for a decision, by an operator or by an outside identity check."""
