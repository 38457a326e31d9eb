"""The comparison of technologies, chips and runs: words, tables and charts."""
