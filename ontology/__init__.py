"""Floor 1: ontologies and disease documents become one knowledge graph."""
