"""Effects from the record: the unrolled graph, identification and estimation, checked with DoWhy."""
