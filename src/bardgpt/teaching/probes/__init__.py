"""Looking into a model while it works, without changing what it does.

What is measured comes from the model's real forward pass, by hooks that are gone afterwards.
"""
