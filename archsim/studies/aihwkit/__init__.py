"""Configurations of aihwkit as architectures and devices; aihwkit itself is not imported here."""
