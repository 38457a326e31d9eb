"""What each network costs on each chip, why its ratio is not the perceptron's, and joules against the metric."""
