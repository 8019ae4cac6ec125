"""What the kernels are made of: memory, parameters in one vector, products, softmax."""
