"""How numbers are made: what is compared, counted, timed and looked into.

It may use the core and `bardgpt.records`, and knows nothing of how a chapter shows a number.
"""
