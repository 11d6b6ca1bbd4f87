"""A knowledge graph becomes a structural causal model: the model, its program, its effects, in words."""
