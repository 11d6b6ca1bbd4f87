"""Clinical notes as a modality: facts of the record, worded by a grammar, and read back by a reader."""
