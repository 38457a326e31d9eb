"""Kinds of layers of images: rows, columns and channels."""
