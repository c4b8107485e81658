"""API keys, and which customer is asking."""
