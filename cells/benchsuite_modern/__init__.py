"""Recurrent cells of 2000 to 2024, written once and run by every backend: one file each.

What a list or a report shows of a cell is here; its code is imported when the cell is first used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module

from benchsuite import hookimpl
from benchsuite.contracts import Cell, CellEntry


def _from(module: str, name: str) -> Callable[[], Cell]:
    """A function that imports the cell's class and makes the cell."""

    def load() -> Cell:
        cell: Cell = getattr(import_module(f"{__name__}.{module}"), name)()
        return cell

    return load


CELLS = (
    CellEntry(
        "mingru",
        _from("mingru", "MinGru"),
        summary="minimal GRU: gate and candidate read the input alone; affine (Feng et al. 2024)",
        source="Feng et al., Were RNNs all we needed?, arXiv:2410.01201, 2024",
        equations=(
            r"z = \sigma(x W_z + b_z), \quad c = g(x W_c + b_c)",
            r"g(v) = v + \tfrac{1}{2} \text{ if } v \ge 0, \text{ else } \sigma(v)",
            r"h' = (1 - z) \odot h + z \odot c",
        ),
    ),
    CellEntry(
        "minlstm",
        _from("minlstm", "MinLstm"),
        summary="minimal LSTM: normalised gates that read the input alone; affine (Feng et al. 2024)",
        source="Feng et al., Were RNNs all we needed?, arXiv:2410.01201, 2024",
        equations=(
            r"f, i = \sigma(x W_{f, i} + b_{f, i}), \quad c = g(x W_c + b_c)",
            r"g(v) = v + \tfrac{1}{2} \text{ if } v \ge 0, \text{ else } \sigma(v)",
            r"h' = \tfrac{f}{f + i} \odot h + \tfrac{i}{f + i} \odot c",
        ),
    ),
    CellEntry(
        "lstm_peephole",
        _from("lstm_peephole", "PeepholeLstm"),
        summary="LSTM whose gates see the cell: ONNX's LSTM with input P (Gers and Schmidhuber 2000)",
        source="Gers and Schmidhuber, Recurrent nets that time and count, IJCNN 2000",
        equations=(
            r"(\tilde{\imath}, \tilde{f}, \tilde{g}, \tilde{o}) = x W_x + h W_h + b",
            r"i = \sigma(\tilde{\imath} + p_i \odot c), \quad f = \sigma(\tilde{f} + p_f \odot c)",
            r"c' = f \odot c + i \odot \tanh(\tilde{g}), \quad o = \sigma(\tilde{o} + p_o \odot c')",
            r"h' = o \odot \tanh(c')",
        ),
    ),
    CellEntry(
        "lstm_layernorm",
        _from("lstm_layernorm", "LayerNormLstm"),
        summary="LSTM with layer normalisation of both products, all gates at once (Ba et al. 2016)",
        source="Ba, Kiros and Hinton, Layer normalization, arXiv:1607.06450, 2016, equations 20 to 22",
        equations=(
            r"(i, f, g, o) = \mathrm{LN}(x W_x) \odot g_x + \mathrm{LN}(h W_h) \odot g_h + b",
            r"c' = \sigma(f) \odot c + \sigma(i) \odot \tanh(g)",
            r"h' = \sigma(o) \odot \tanh(\mathrm{LN}(c') \odot g_c + b_c)",
            r"\mathrm{LN}(v) = (v - \mathrm{mean}(v)) / \sqrt{\mathrm{var}(v) + 10^{-5}}",
        ),
    ),
    CellEntry(
        "lru",
        _from("lru", "LinearRecurrentUnit"),
        summary="linear recurrent unit: complex and diagonal; affine (Orvieto et al. 2023)",
        source="Orvieto et al., Resurrecting recurrent neural networks for long sequences, ICML 2023",
        equations=(
            r"\lambda = \exp(-e^{\nu} + i e^{\theta})",
            r"s' = \lambda \odot s + e^{\gamma} \odot (x B)",
            r"y = \mathrm{Re}(s' C) + x D",
        ),
    ),
    CellEntry(
        "slstm",
        _from("slstm", "ScalarLstm"),
        summary="sLSTM: exponential gates, normalised and stabilised (Beck et al. 2024)",
        source="Beck et al., xLSTM: Extended long short-term memory, NeurIPS 2024",
        equations=(
            r"(\tilde{\imath}, \tilde{f}, \tilde{z}, \tilde{o}) = x W_x + h W_h + b",
            r"m' = \max(\tilde{\imath}, \log \sigma(\tilde{f}) + m)",
            r"i = \exp(\tilde{\imath} - m'), \quad f = \exp(\log \sigma(\tilde{f}) + m - m')",
            r"c' = f \odot c + i \odot \tanh(\tilde{z}), \quad n' = f \odot n + i",
            r"h' = \sigma(\tilde{o}) \odot c' / n'",
        ),
    ),
    CellEntry(
        "rglru",
        _from("rglru", "RealGatedLru"),
        summary="real-gated linear recurrent unit of Griffin; affine (De et al. 2024)",
        source="De et al., Griffin: Mixing gated linear recurrences, arXiv:2402.19427, 2024",
        equations=(
            r"v = x W_x + b_x, \quad r, i = \sigma(v W_{r, i} + b_{r, i})",
            r"\log a = -8 r \odot \mathrm{softplus}(L)",
            r"h' = a \odot h + k \odot i \odot v, \quad k = \sqrt{1 - a^2}, \text{ at a row's first step } 1",
        ),
    ),
    CellEntry(
        "indrnn",
        _from("indrnn", "IndRnn"),
        summary="independently recurrent network: each unit sees itself alone (Li et al. 2018)",
        source="Li et al., Independently recurrent neural network (IndRNN), CVPR 2018",
        equations=(r"h' = \mathrm{relu}(x W + \mathrm{clip}(u, -1, 1) \odot h + b)",),
    ),
    CellEntry(
        "cornn",
        _from("cornn", "CoupledOscillators"),
        summary="coupled oscillators, driven and damped (Rusch and Mishra 2021)",
        source="Rusch and Mishra, Coupled oscillatory recurrent neural network (coRNN), ICLR 2021",
        equations=(
            r"z' = z + \Delta t \, (\tanh(x W_x + [y, z] W_h + b) - \gamma y - \epsilon z)",
            r"y' = y + \Delta t \, z'",
        ),
    ),
    CellEntry(
        "lem",
        _from("lem", "LongExpressiveMemory"),
        summary="long expressive memory: two coupled states with learned steps of time (Rusch et al. 2022)",
        source="Rusch et al., Long expressive memory for sequence modeling, ICLR 2022",
        equations=(
            r"s, t = \Delta t \, \sigma(x V_{s, t} + y W_{s, t} + b_{s, t})",
            r"z' = (1 - t) \odot z + t \odot \tanh(x V_z + y W_z + b_z)",
            r"y' = (1 - s) \odot y + s \odot \tanh(x V_y + z' W_y + b_y)",
        ),
    ),
)


@hookimpl
def benchsuite_register_cells() -> Iterable[CellEntry]:
    return CELLS
