"""How `benchmarks.seed` makes many rows quickly: what they hold (`rows`), and how PostgreSQL takes them (`bulk`)."""
