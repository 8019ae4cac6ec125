"""What happens inside a worker: batches, initial weights, training, gradients, timing, parity."""
