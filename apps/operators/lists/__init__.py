"""Lists that bear any number of rows and any query."""
