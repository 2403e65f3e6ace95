"""One test per file; the battery finds them, runs them and gives the verdict."""
