"""Pages and pictures that are written from records: `make pages`."""
