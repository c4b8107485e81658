from tests.examples.serving import db, demo, run_example

__all__ = ["db", "demo", "run_example"]  # fixtures
