"""Tenants: their keyring, allowlist, policy and quotas."""
