"""Our own kernels, in torch's operators: what is faster than the layers and losses that torch brings."""
