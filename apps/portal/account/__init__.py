"""The account page: what the users of a customer see and change of their own accounts in the browser."""
