"""From a journey's moment to a note, an image or a genome, and back to values. `protocol.py` is the contract."""
