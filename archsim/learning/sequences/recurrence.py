"""Steps of recurrent layers: what follows from the products of a step and the state before it, in one pass over both.

A step's result holds the new state and, after it, what the way back needs: a digital unit keeps that in its buffer, in
inference too. Gates come from the table of the sigmoid and of tanh, a look-up an element.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archsim.base.arrays import F32
from archsim.learning.functions import Adjoint, Cost, Function
from archsim.learning.moves import Slice
from archsim.learning.sequences import _kernels


def _sigmoid(x: F32, out: F32) -> None:
    """Write the sigmoid as (1 + tanh x/2)/2, which cannot overflow."""
    np.multiply(x, np.float32(0.5), out=out)
    np.tanh(out, out=out)
    out += 1
    out *= np.float32(0.5)


class Hidden(Slice):
    """The hidden state, the first `units` elements of a step's result: within +-1."""

    def __init__(self, width: int, units: int) -> None:
        super().__init__((width,), 0, 0, units)

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return 1."""
        del bounds
        return 1.0


class LstmStep(Function):
    """One step of an LSTM: (i f o g before their activation), c -> (h, c', i, f, o, g, tanh c').

    c' = f c + i g; h = o tanh c'; i, f, o by the sigmoid, g by tanh. An element of the state: five look-ups, three
    products, an addition; five words read and seven written. The equations are those of PyTorch's LSTM.
    """

    def __init__(self, units: int) -> None:
        n = self.units = units
        self.name, self.shapes, self.out = "lstm-step", ((4 * n,), (n,)), (7 * n,)
        self.cost = Cost(lookups=5 * n, multiplies=3 * n, adds=n, reads=5 * n, writes=7 * n)
        self._back = LstmStepAdjoint(n)
        self._half = np.repeat(np.array([0.5, 1], np.float32), (3 * n, n))  # sigmoid x = (1 + tanh x/2)/2

    def __call__(self, *operands: F32) -> F32:
        """Return (samples, 7 units)."""
        z, before = operands
        n = self.units
        bent = np.multiply(z, self._half)
        np.tanh(bent, out=bent)
        out = np.empty((z.shape[0], 7 * n), np.float32)
        _kernels.lstm_state(bent, before, out)
        np.tanh(out[:, n : 2 * n], out=out[:, 6 * n :])
        np.multiply(out[:, 4 * n : 5 * n], out[:, 6 * n :], out=out[:, :n])
        return out

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return the part of the gates, or that of the state before."""
        n = self.units
        part = Slice(self._back.out, 0, 4 * n, 5 * n) if operand else Slice(self._back.out, 0, 0, 4 * n)
        return Adjoint(self._back, ("y", 1), part)


class LstmStepAdjoint(Function):
    """Gradients before the activation of i, f, o, g, and that of c, from those of h and c' and the step's result.

    An element of the state: 16 products and six additions (d c' = dc + dh o (1 - tanh^2), a product by each gate's
    partner, and the derivatives of four gates); eight words read and five written.
    """

    def __init__(self, units: int) -> None:
        n = units
        self.name, self.shapes, self.out = "lstm-step-derivative", ((7 * n,), (7 * n,), (n,)), (5 * n,)
        self.cost = Cost(multiplies=16 * n, adds=6 * n, reads=8 * n, writes=5 * n)

    def __call__(self, *operands: F32) -> F32:
        """Return (samples, 5 units)."""
        d, y, before = operands
        out = np.empty((y.shape[0], self.out[0]), np.float32)
        _kernels.lstm_back(d, y, before, out)
        return out


class GruStep(Function):
    """One step of a GRU: (n r z of the input), (r z n of the state), h -> (h', r, z, n).

    r and z are sigmoids of their sums, n = tanh(n of the input + r n of the state), h' = n + z (h - n). An element of
    the state: three look-ups, two products, five additions; seven words read and four written. The equations are those
    of PyTorch's GRU, whose reset gate acts behind the product of the state.
    """

    def __init__(self, units: int) -> None:
        n = self.units = units
        self.name, self.shapes, self.out = "gru-step", ((3 * n,), (3 * n,), (n,)), (4 * n,)
        self.cost = Cost(lookups=3 * n, multiplies=2 * n, adds=5 * n, reads=7 * n, writes=4 * n)
        self._back = GruStepAdjoint(n)

    def __call__(self, *operands: F32) -> F32:
        """Return (samples, 4 units)."""
        a, b, before = operands
        n = self.units
        out = np.empty((a.shape[0], 4 * n), np.float32)
        h, r, z, new = (out[:, k * n : (k + 1) * n] for k in range(4))
        _sigmoid(a[:, n:] + b[:, : 2 * n], out[:, n : 3 * n])
        np.tanh(a[:, :n] + r * b[:, 2 * n :], out=new)
        np.add(new, z * (before - new), out=h)
        return out

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return the part of the input's product, of the state's, or of the state before."""
        n = self.units
        start, stop = ((0, 3 * n), (n, 4 * n), (4 * n, 5 * n))[operand]
        return Adjoint(self._back, ("y", 1, 2), Slice(self._back.out, 0, start, stop))


class GruStepAdjoint(Function):
    """Gradients (n of the input, r, z, n of the state, h) from that of h' and the step's result and operands.

    An element of the state: 11 products and four additions; six words read and five written.
    """

    def __init__(self, units: int) -> None:
        n = units
        self.name = "gru-step-derivative"
        self.shapes, self.out = ((4 * n,), (4 * n,), (3 * n,), (n,)), (5 * n,)
        self.cost = Cost(multiplies=11 * n, adds=4 * n, reads=6 * n, writes=5 * n)

    def __call__(self, *operands: F32) -> F32:
        """Return (samples, 5 units)."""
        d, y, b, before = operands
        out = np.empty((y.shape[0], self.out[0]), np.float32)
        _kernels.gru_back(d, y, b, before, out)
        return out
