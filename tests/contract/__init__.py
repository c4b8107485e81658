"""The API as a whole, against the contract and its own schema."""
