"""A model in words and pictures: its variables, equations, evidence, and what an intervention cuts."""
