"""Whether a model's graph survives the people of a table, and how its own people compare with them."""
