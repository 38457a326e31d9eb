"""What a ratio is made of: the page, its words and its charts."""
