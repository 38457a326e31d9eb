"""Making figures: technologies imported, surveyed, scaled to a node, compared and written. Knows no chip and no run."""
