"""drfpasswordless, built as its README says."""
