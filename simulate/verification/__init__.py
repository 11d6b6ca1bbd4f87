"""Whether the effects that a model means come back from its own record."""
