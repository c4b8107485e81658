"""What has no customer in it: errors, ciphers, Valkey, limits, addresses, health. Knows none of its callers."""
