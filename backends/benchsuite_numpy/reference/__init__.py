"""The reference: the suite's formulas in plain NumPy, to be read and to be compared with.

Nothing here is fast, and nothing is clever: one loop over time, one formula a line, any float dtype.
Parity runs it in float64.

    cells         one step of rnn, lstm and gru, forwards and backwards
    operations    what any other cell is written in
    generic       one step of any other cell, its derivative by autograd
    layers        a cell over time: lengths, direction, truncation; the stack of layers
    convolution   the image baseline
    heads         readout, output layer, losses entry by entry
    ctc           the loss that aligns scores with labels by itself
    attention     the two scores, their softmax and the context
    decoder       bridge, embedding, a stack of cells stepped with attention
    decoding      the decoder generating
    model         input to loss and back to every gradient
    optimisers    clipping and the four update rules
    program       the contract's Program and Backend around them
"""

from benchsuite_numpy.reference.program import ReferenceBackend, ReferenceProgram

__all__ = ["ReferenceBackend", "ReferenceProgram"]
