"""What a cell of the book shows: checks, listings, figures, diagrams."""

from bardgpt.teaching.listing import listing

__all__ = ["listing"]
