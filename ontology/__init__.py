"""Documents and ontologies become one knowledge graph."""
