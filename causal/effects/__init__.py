"""Effects from the record: the graph, identification and estimation, with DoWhy as the examiner."""
