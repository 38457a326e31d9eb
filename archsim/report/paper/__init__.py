"""The paper kit: tables, charts, methods paragraph and sources of a run."""
