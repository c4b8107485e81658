"""Sign-in over HTTP: one module a journey."""
