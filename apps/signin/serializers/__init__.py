"""What clients may send, and the shapes of answers for the schema: one module a journey."""
