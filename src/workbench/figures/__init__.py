"""Pure pictures, table to figure, in one theme."""
