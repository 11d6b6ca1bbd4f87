"""The structural causal model as one Pyro program, and the keyed noise that it runs on."""
