"""What only chapters use: yardsticks, records, checks, figures. Nothing else imports this."""

from bardgpt.teaching.listing import listing

__all__ = ["listing"]
