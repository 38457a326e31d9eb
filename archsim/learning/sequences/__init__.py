"""Functions of sequences: codes, steps of recurrent layers, attention."""
