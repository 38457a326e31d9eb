"""Where a network goes on a chip, what it asks for, and what becomes of that for which there is no room."""
