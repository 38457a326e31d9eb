"""Reading a sweep back: its designs, which of them no other beats, and what makes the difference."""
