"""One file per source: raw file to core tables (embedded data sets, the simulated bank, a bank's own file)."""
