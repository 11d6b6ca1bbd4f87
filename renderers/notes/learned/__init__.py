"""Notes reworded by a language model, behind a guard that reads them back."""
