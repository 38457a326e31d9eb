"""Networks of other people, read from their files into the layers of a workload."""
