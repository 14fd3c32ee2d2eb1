"""What writes the records: only `make` calls these, and no other room imports them."""
