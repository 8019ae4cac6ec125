"""What the nodes of a graph call, forwards and backwards: lists of calls (function, arguments) that write into
memory that is there already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from benchsuite_numpy.runtime import Array, Namespace

Call = tuple[Callable[..., Any], tuple[Any, ...]]
Calls = list[Call]


class Op(NamedTuple):
    """
    forward   (xp, out, work, ins) -> calls that write `out`; `work` has its shape
    backward  for each input: (xp, to, g, out, ins) -> calls that write dL/d(input), of the shape of g, into
              `to`; None: there is none; PASS: it is g itself
    reads     for each input: what its `backward` reads, of `0`, `1`, `2` (inputs) and `o` (the output)
    in_place  whether `out` may be the memory of an input of its shape
    work      whether `work` is used
    """

    forward: Callable[[Namespace, Array, Array, Sequence[Any]], Calls]
    backward: tuple[Any, ...]
    reads: tuple[str, ...]
    in_place: bool = True
    work: bool = False


PASS = "pass"
"""The derivative by an input is g itself."""


def _ufunc(name: str) -> Callable[..., Calls]:
    return lambda xp, out, _work, ins: [(getattr(xp, name), (*ins, out))]


def _extremum(name: str) -> Callable[..., Calls]:
    return lambda xp, out, _work, ins: [(partial(getattr(xp, name), out=out), tuple(ins))]


def _unary(
    name: str, backward: Callable[..., Calls], reads: str, forward: Callable[..., Calls] | None = None
) -> Op:
    return Op(forward or _ufunc(name), (backward,), (reads,))


def _sigmoid(xp: Namespace, out: Array, _work: Array, ins: Sequence[Any]) -> Calls:
    """1 / (1 + exp(-x)): where exp overflows the result is the right one, 0."""
    return [
        (xp.negative, (ins[0], out)),
        (xp.exp, (out, out)),
        (xp.add, (out, 1.0, out)),
        (xp.reciprocal, (out, out)),
    ]


def _softplus(xp: Namespace, out: Array, work: Array, ins: Sequence[Any]) -> Calls:
    """max(x, 0) + log(1 + exp(-|x|))."""
    return [
        *_extremum("maximum")(xp, work, None, (ins[0], 0.0)),
        (xp.abs, (ins[0], out)),
        (xp.negative, (out, out)),
        (xp.exp, (out, out)),
        (xp.log1p, (out, out)),
        (xp.add, (out, work, out)),
    ]


def _log_sigmoid(xp: Namespace, out: Array, work: Array, ins: Sequence[Any]) -> Calls:
    """min(x, 0) - log(1 + exp(-|x|))."""
    return [
        *_extremum("minimum")(xp, work, None, (ins[0], 0.0)),
        (xp.abs, (ins[0], out)),
        (xp.negative, (out, out)),
        (xp.exp, (out, out)),
        (xp.log1p, (out, out)),
        (xp.subtract, (work, out, out)),
    ]


def _where(xp: Namespace, out: Array, _work: Array, ins: Sequence[Any]) -> Calls:
    condition, x, y = ins
    return [(xp.copyto, (out, y)), (xp.copyto, (out, x, "same_kind", condition))]


def _concat(xp: Namespace, out: Array, _work: Array, ins: Sequence[Any]) -> Calls:
    calls: Calls = []
    start = 0
    for part in ins:
        calls.append((xp.copyto, (out[..., start : start + part.shape[-1]], part)))
        start += part.shape[-1]
    return calls


def _power(xp: Namespace, out: Array, _work: Array, ins: Sequence[Any]) -> Calls:
    if isinstance(ins[1], float) and ins[1] == 2:
        return [(xp.multiply, (ins[0], ins[0], out))]
    return [(xp.power, (*ins, out))]


def _power_back(xp: Namespace, to: Array, g: Array, _out: Array, ins: Sequence[Any]) -> Calls:
    """g n x^(n - 1)."""
    x, n = ins
    return [
        (lambda: xp.power(x, n - 1, out=to), ()),
        (xp.multiply, (to, n, to)),
        (xp.multiply, (to, g, to)),
    ]


def _exponent_back(xp: Namespace, to: Array, g: Array, out: Array, ins: Sequence[Any]) -> Calls:
    """g x^n log(x)."""
    return [(xp.log, (ins[0], to)), (xp.multiply, (to, out, to)), (xp.multiply, (to, g, to))]


def _times(other: int) -> Callable[..., Calls]:
    return lambda xp, to, g, _out, ins: [(xp.multiply, (g, ins[other], to))]


def _divisor_back(xp: Namespace, to: Array, g: Array, out: Array, ins: Sequence[Any]) -> Calls:
    """-g (x / y) / y."""
    return [(xp.multiply, (g, out, to)), (xp.divide, (to, ins[1], to)), (xp.negative, (to, to))]


def _larger_back(side: int, compare: str) -> Callable[..., Calls]:
    """g where this side was taken, g / 2 at ties: (this > other) + (this >= other) is 2, 1 or 0."""

    def backward(xp: Namespace, to: Array, g: Array, _out: Array, ins: Sequence[Any]) -> Calls:
        mine, other = ins[side], ins[1 - side]

        def run() -> None:
            strict, loose = getattr(xp, compare), getattr(xp, f"{compare}_equal")
            xp.copyto(to, strict(mine, other))
            xp.add(to, loose(mine, other), out=to)
            xp.multiply(to, 0.5, out=to)
            xp.multiply(to, g, out=to)

        return [(run, ())]

    return backward


def _chosen_back(side: int) -> Callable[..., Calls]:
    def backward(xp: Namespace, to: Array, g: Array, _out: Array, ins: Sequence[Any]) -> Calls:
        if side == 1:
            return [(xp.multiply, (g, ins[0], to))]
        return [(xp.copyto, (to, g)), (xp.copyto, (to, 0.0, "same_kind", ins[0]))]

    return backward


def _expand(scale: Callable[[Any], float]) -> Callable[..., Calls]:
    return lambda xp, to, g, _out, ins: [(xp.multiply, (g, scale(ins[0]), to))]


def _from_out(*steps: tuple[str, Any]) -> Callable[..., Calls]:
    """dL/dx from the output o: each step is (ufunc, second operand), applied to `to`, which starts as o; "g" is
    the gradient."""

    def backward(xp: Namespace, to: Array, g: Array, out: Array, _ins: Sequence[Any]) -> Calls:
        calls: Calls = []
        first = out
        for name, other in steps:
            operands = (first,) if other is None else (first, {"g": g, "o": out}.get(other, other))
            calls.append((getattr(xp, name), (*operands, to)))
            first = to
        return calls

    return backward


def _from_in(*steps: tuple[str, Any]) -> Callable[..., Calls]:
    """The same from the input x."""
    run = _from_out(*steps)
    return lambda xp, to, g, _out, ins: run(xp, to, g, ins[0], ins)


def _minus_times_g(xp: Namespace, to: Array, g: Array, out: Array, _ins: Sequence[Any]) -> Calls:
    """g - g o^2, of tanh."""
    return [(xp.multiply, (out, out, to)), (xp.multiply, (to, g, to)), (xp.subtract, (g, to, to))]


def _sigmoid_back(xp: Namespace, to: Array, g: Array, out: Array, _ins: Sequence[Any]) -> Calls:
    """g o (1 - o)."""
    return [(xp.subtract, (1.0, out, to)), (xp.multiply, (to, out, to)), (xp.multiply, (to, g, to))]


def _relu_back(xp: Namespace, to: Array, g: Array, out: Array, _ins: Sequence[Any]) -> Calls:
    return [(xp.sign, (out, to)), (xp.multiply, (to, g, to))]


def _filled(value: float) -> Op:
    return Op(lambda xp, out, _work, _ins: [(xp.copyto, (out, value))], (None,), ("",))


OPS: dict[str, Op] = {
    "add": Op(_ufunc("add"), (PASS, PASS), ("", "")),
    "subtract": Op(
        _ufunc("subtract"), (PASS, lambda xp, to, g, _out, _ins: [(xp.negative, (g, to))]), ("", "")
    ),
    "multiply": Op(_ufunc("multiply"), (_times(1), _times(0)), ("1", "0")),
    "divide": Op(
        _ufunc("divide"),
        (lambda xp, to, g, _out, ins: [(xp.divide, (g, ins[1], to))], _divisor_back),
        ("1", "1o"),
    ),
    "power": Op(_power, (_power_back, _exponent_back), ("01", "0o"), in_place=False),
    "negative": _unary("negative", lambda xp, to, g, _out, _ins: [(xp.negative, (g, to))], ""),
    "matmul": Op(
        _ufunc("matmul"),
        (lambda xp, to, g, _out, ins: [(xp.matmul, (g, ins[1].T, to))], None),
        ("1", "0"),
        in_place=False,
    ),
    **{
        name: Op(_ufunc(name), (None, None), ("", ""))
        for name in ("less", "less_equal", "greater", "greater_equal")
    },
    "abs": _unary("abs", _from_in(("sign", None), ("multiply", "g")), "0"),
    "cos": _unary("cos", _from_in(("sin", None), ("negative", None), ("multiply", "g")), "0"),
    "exp": _unary("exp", _from_out(("multiply", "g")), "o"),
    "expm1": _unary("expm1", _from_out(("add", 1.0), ("multiply", "g")), "o"),
    "log": _unary("log", _from_in(("reciprocal", None), ("multiply", "g")), "0"),
    "log1p": _unary("log1p", _from_in(("add", 1.0), ("reciprocal", None), ("multiply", "g")), "0"),
    "log_sigmoid": Op(
        _log_sigmoid,
        (_from_out(("expm1", None), ("negative", None), ("multiply", "g")),),
        ("o",),
        in_place=False,
        work=True,
    ),
    "ones_like": _filled(1.0),
    "zeros_like": _filled(0.0),
    "relu": Op(
        lambda xp, out, _work, ins: _extremum("maximum")(xp, out, None, (ins[0], 0.0)), (_relu_back,), ("o",)
    ),
    "sigmoid": Op(_sigmoid, (_sigmoid_back,), ("o",)),
    "sin": _unary("sin", _from_in(("cos", None), ("multiply", "g")), "0"),
    "softplus": Op(
        _softplus,
        (_from_out(("negative", None), ("expm1", None), ("negative", None), ("multiply", "g")),),
        ("o",),
        in_place=False,
        work=True,
    ),
    "sqrt": _unary("sqrt", _from_out(("reciprocal", None), ("multiply", 0.5), ("multiply", "g")), "o"),
    "tanh": _unary("tanh", _minus_times_g, "o"),
    "maximum": Op(
        _extremum("maximum"), (_larger_back(0, "greater"), _larger_back(1, "greater")), ("01", "01")
    ),
    "minimum": Op(_extremum("minimum"), (_larger_back(0, "less"), _larger_back(1, "less")), ("01", "01")),
    "where": Op(_where, (None, _chosen_back(1), _chosen_back(2)), ("", "0", "0"), in_place=False),
    "sum": Op(
        lambda xp, out, _work, ins: [(xp.sum, (ins[0], -1, None, out, True))],
        (_expand(lambda _x: 1.0),),
        ("",),
        in_place=False,
    ),
    "mean": Op(
        lambda xp, out, _work, ins: [(xp.mean, (ins[0], -1, None, out, True))],
        (_expand(lambda x: 1.0 / x.shape[-1]),),
        ("",),
        in_place=False,
    ),
    "concat": Op(_concat, (), (), in_place=False),
    "copy": Op(lambda xp, out, _work, ins: [(xp.copyto, (out, ins[0]))], (PASS,), ("",), in_place=False),
    "split": Op(lambda _xp, _out, _work, _ins: [], (), ()),
}
"""By name. `concat` and `split` have no derivative here: their inputs' or outputs' gradients are views."""
