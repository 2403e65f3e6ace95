"""Evidence to the pages a person reads, bad news first."""
