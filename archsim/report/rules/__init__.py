"""The page of a study of rules: its tables, three pictures, and what its numbers say."""
