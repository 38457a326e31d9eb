"""One run as one HTML page: what it shows, and its making."""
