"""An independent reader: the text of notes back to findings, values and times."""
