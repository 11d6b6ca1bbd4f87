"""Questions about other worlds: of an effect, a simulated patient, or somebody known by a record."""
