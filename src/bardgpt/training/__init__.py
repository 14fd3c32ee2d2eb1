"""How a model comes by its weights. Knows nothing of chapters."""
