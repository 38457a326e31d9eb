"""What a workload trains for, one kind a file: the batches that a network is fed, and what it is judged by."""
