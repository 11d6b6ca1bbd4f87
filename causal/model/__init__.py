"""A disease model: documents and graphs become variables, claims, a clock and worlds, checked. No torch here."""
