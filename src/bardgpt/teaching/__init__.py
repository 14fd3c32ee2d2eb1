"""What a cell of the book shows: checks, listings, figures, diagrams."""

from bardgpt.teaching.listing import listing
from bardgpt.teaching.table import Cell, table

__all__ = ["Cell", "listing", "table"]
