"""The pages and pictures that are written from records: `make pages` (`_pages.write`)."""
