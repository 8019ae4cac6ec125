"""The names that a trial's fields take, and what each one means."""

from __future__ import annotations

NO_CELL = "none"
"""The cell of an architecture that has no recurrence."""

ARCHITECTURES: dict[str, str] = {
    "plain": "one recurrent layer",
    "deep": "size.layers recurrent layers, one above the other",
    "bidirectional": "one layer that reads forwards and one that reads backwards",
    "deep_bidirectional": "size.layers bidirectional layers, one above the other",
    "encoder_decoder": "an encoder's final output starts a decoder (Sutskever et al. 2014)",
    "attention": "the same, and the decoder attends to all of the encoder's outputs (Bahdanau et al. 2015)",
    "cnn": "a small convolutional network, the image baseline (after LeNet-5, LeCun et al. 1998)",
}

UNROLLS: dict[str, str] = {
    "static": "a graph of fixed length",
    "dynamic": "a loop as long as the longest sequence of the batch",
    "fused": "the framework's own fused kernel",
    "autograd": "the framework's own cells in a loop, differentiated by the framework",
    "compiled": "the cell's steps joined and compiled by the framework's compiler, block by block",
    "scan": "an associative scan over time, for cells with an affine step",
}

COMPILED_UNROLL = "compiled"
"""The unroll of which a compiler takes seconds for every shape: taken where it is asked for by name alone."""

BEST_UNROLL = "best"
"""The unroll that stands for the fastest of BEST_OF on this machine, which a calibration finds."""

BEST_OF = tuple(
    sorted(UNROLLS.keys() - {"static", COMPILED_UNROLL}, key=lambda name: (name != "dynamic", name))
)
"""The unrolls that `best` may stand for, the default first. Not `static` and `compiled`: they compute all
padding, and compiling takes seconds to minutes for each shape of a batch, which few trainings gain back."""

PRECISIONS: dict[str, str] = {
    "float32": "IEEE single precision, TF32 off",
    "float64": "IEEE double precision",
    "tf32": "single precision whose products may run in TF32",
}

OPTIMISERS: dict[str, str] = {
    "sgd": "p -= lr g",
    "momentum": "v = mu v + g; p -= lr v",
    "rmsprop": "s = rho s + (1 - rho) g^2; p -= lr g / (sqrt(s) + eps)",
    "adam": "Adam with bias correction (Kingma and Ba 2015, algorithm 1)",
}

CLIPS: dict[str, str] = {
    "none": "the gradient as it is",
    "norm": "g c / max(|g|, c), |g| the L2 norm of all parameters' gradients together (Pascanu et al. 2013)",
    "value": "every entry of g within [-c, c]",
}
"""Clipping of the gradient at c = recipe.clip_at, before the update. No epsilon is added to |g|."""

WEIGHT_DECAY = "p -= lr wd p, with p as it was before the step"
"""Decoupled weight decay (Loshchilov and Hutter 2019, algorithms 1 and 2), beside the update of any optimiser,
of every parameter, biases and embeddings included, as in the paper. lr is the step's learning rate: the paper's
schedule multiplier and its alpha together, as in torch.optim.AdamW and optax.adamw. Neither the gradient, nor
its norm, nor the running averages contain it."""

SCHEDULES: dict[str, str] = {
    "constant": "lr",
    "step": "lr decay_factor^floor(u / decay_every)",
    "cosine": "lr (1 + cos(pi u / (S - warmup))) / 2 (Loshchilov and Hutter 2017, eq. 5, down to 0)",
}
"""The learning rate of optimiser step s = 1, 2, ..., where a schedule is S steps long. Of these the first
`warmup` have lr s / warmup (Goyal et al. 2017); u = s - warmup - 1 counts the others from 0. After S steps s is
1 again (warm restarts): no step has rate 0."""


LABEL_SMOOTHING = "q_k = (1 - eps) [k = target] + eps / K; loss = -sum_k q_k ln p_k"
"""Label smoothing by eps over K classes (Szegedy et al. 2016, section 7)."""

INITIALISATIONS: dict[str, str] = {
    "default": "Wx as Glorot and Bengio 2010 (eq. 16), Wh orthogonal (Saxe et al. 2014), biases zero but the "
    "forget gate's, which is one (Jozefowicz et al. 2015)",
    "glorot": "the same with Wh as Glorot and Bengio 2010",
    "orthogonal": "the same with Wx and Wh orthogonal; the rows or columns of a Wx that is not square are so",
    "uniform": "Wx, Wh and all biases uniform in +-1 / sqrt(hidden), as torch.nn's recurrent layers begin",
}
"""Initial values of the recurrent layers' matrices, gate by gate, and biases, in cells rnn, lstm and gru. Other
cells have the initial values of their papers."""

LOSSES: dict[str, str] = {
    "cross_entropy": "mean negative log-likelihood of the target class, in nats",
    "squared": "mean squared error",
    "absolute": "mean absolute error",
    "binary_cross_entropy": "mean negative log-likelihood of independent Bernoulli outputs, in nats",
    "ctc": "connectionist temporal classification: mean negative log-likelihood of a label sequence, in nats",
}

READOUTS: dict[str, str] = {
    "last": "the output at each row's last valid step (joined with the backward output at step 0)",
    "mean": "the mean of the outputs over each row's valid steps",
    "steps": "every step's output",
}

ATTENTIONS: dict[str, str] = {
    "none": "the decoder sees the encoder's final outputs alone (Sutskever et al. 2014)",
    "additive": "a one-layer network scores each encoder output (Bahdanau et al. 2015)",
    "multiplicative": 'a bilinear form scores each encoder output (Luong et al. 2015, "general")',
}

INVALID_TIMING: dict[str, str] = {
    "unsynchronised": "synchronize() came back before the work was done",
    "idle": "the timed steps left every parameter as it was",
    "incomplete": "drain() has not one loss for each step that was timed",
    "cached": "answers came from memory: equal after the parameters changed, or without a prediction's work",
    "beside": "other trials were at work on the machine while it was taken",
    "threads": "more processor time passed than the trial's threads can use",
}
"""Verdicts on a timing that is worth nothing: what was timed is not the work that was asked for."""
