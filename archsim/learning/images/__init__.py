"""Functions of images (rows, columns, channels): windows and pooling."""
