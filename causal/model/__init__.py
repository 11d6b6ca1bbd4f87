"""A disease model: reads and checks documents and graphs (variables, claims, clock, worlds). No torch here."""
