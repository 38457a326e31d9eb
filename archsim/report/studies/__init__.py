"""Tables and charts of the studies, a module a study."""
