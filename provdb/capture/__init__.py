"""Take down what a pipeline does while it runs, without stopping or slowing it."""
