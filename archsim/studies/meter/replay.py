"""Fused modules of PyTorch once more, product by product: what their one kernel hides from hooks.

The module itself is left alone, and trains to the same bits. What is done here again gives the same numbers up to
rounding (a test, 1e-5), dropout included: its random numbers are drawn again from the same state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

RECURRENT = ("LSTM", "GRU", "RNN_TANH", "RNN_RELU")
"""Modes of recurrent modules."""
ATTENTION = "MultiheadAttention"


@dataclass(frozen=True, slots=True)
class Used:
    """One product of a fused module.

    Parameters
    ----------
    parameter : str
        Of the module, that says which matrix it is with.
    x : tensor, (vectors, rows)
        Inputs, without the 1 of a bias.
    z : tensor, (vectors, columns)
        Results, in the graph of gradients.
    order : tuple of int
        Where the parts of our columns stand among those of z.
    back : bool
        Whether errors pass on to what its inputs are from: not to a state before the first step.
    """

    parameter: str
    x: Any
    z: Any
    order: tuple[int, ...] = (0,)
    back: bool = True

    def ordered(self, d: Any) -> Any:
        """Return errors at z, (vectors, columns), in the order of our columns."""
        import torch

        parts = d.chunk(len(self.order), -1)
        return d if len(parts) == 1 else torch.cat([parts[k] for k in self.order], -1)


Replay = tuple[list[Any], list[Used]]
"""Results as the module gives them, one after the other, and its products."""


def is_fused(module: Any) -> bool:
    """Whether a module is one that does its products in a kernel of its own."""
    return getattr(module, "mode", None) in RECURRENT or type(module).__name__ == ATTENTION


def replayed(module: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Replay:
    """Return what a fused module made of its arguments, and each of its products."""
    return (
        _attention(module, *args, **kwargs)
        if type(module).__name__ == ATTENTION
        else _recurrent(module, *args, **kwargs)
    )


# --- recurrent --------------------------------------------------------------------------------------------------------
def _recurrent(module: Any, input: Any, hx: Any = None) -> Replay:  # noqa: A002  PyTorch's own name for it
    import torch
    from torch.nn import functional as f

    ways, first = 1 + module.bidirectional, module.batch_first
    led = input.requires_grad  # a layer before wants errors
    x = input.detach().requires_grad_()
    x = x.transpose(0, 1) if first else x
    lstm, used = module.mode == "LSTM", []
    states: list[list[Any]] = []
    for layer in range(module.num_layers):
        made = []
        for way in range(ways):
            state = _begun(module, hx, layer * ways + way, x)
            suffix = f"l{layer}" + "_reverse" * way
            hidden, end, products = _WAYS[module.mode](
                module, suffix, x, state, reverse=bool(way), led=led or layer > 0
            )
            made.append(torch.stack(hidden))
            used.extend(products)
            states.append(end)
        x = torch.cat(made, -1)
        if module.dropout and module.training and layer < module.num_layers - 1:
            x = f.dropout(x, module.dropout)
    last = [torch.stack([each[k] for each in states]) for k in range(1 + lstm)]
    return [x.transpose(0, 1) if first else x, *last], used


def _begun(module: Any, hx: Any, place: int, x: Any) -> list[Any]:
    """Return the state before the first step: the hidden one, and that of an LSTM's cell."""
    count = 1 + (module.mode == "LSTM")
    if hx is None:
        return [x.new_zeros(x.shape[1], module.hidden_size) for _ in range(count)]
    return [each.detach()[place] for each in (hx if count > 1 else [hx])]


def _weights(module: Any, suffix: str) -> list[Any]:
    """Return the parameters of a layer and direction: of the input, of the state, and their biases or None."""
    names = [f"weight_ih_{suffix}", f"weight_hh_{suffix}", f"bias_ih_{suffix}", f"bias_hh_{suffix}"]
    return [getattr(module, name, None) for name in names]


def _joined(
    module: Any, suffix: str, x: Any, state: list[Any], step: Callable[[Any, list[Any]], list[Any]], *, reverse: bool,
    led: bool, order: tuple[int, ...],
) -> tuple[list[Any], list[Any], list[Used]]:  # fmt: skip
    """Return hidden states by step, the last state, and products of (h, x): one a step, with one matrix."""
    import torch
    from torch.nn.functional import linear

    of_input, of_state, *biases = _weights(module, suffix)
    hidden = [x] * len(x)
    used: list[Used] = []
    for t in reversed(range(len(x))) if reverse else range(len(x)):
        z = linear(x[t], of_input, biases[0]) + linear(state[0], of_state, biases[1])
        joined = torch.cat([state[0], x[t]], -1).detach()
        used.append(Used(f"weight_hh_{suffix}", joined, z, order, back=bool(used) or led))
        state = step(z, state)
        hidden[t] = state[0]
    return hidden, state, used


def _lstm(module: Any, suffix: str, x: Any, state: list[Any], *, reverse: bool, led: bool) -> Any:
    def step(z: Any, before: list[Any]) -> list[Any]:
        i, f, g, o = z.chunk(4, -1)
        c = f.sigmoid() * before[1] + i.sigmoid() * g.tanh()
        return [o.sigmoid() * c.tanh(), c]

    return _joined(module, suffix, x, state, step, reverse=reverse, led=led, order=(0, 1, 3, 2))


def _tanh(module: Any, suffix: str, x: Any, state: list[Any], *, reverse: bool, led: bool) -> Any:
    return _joined(module, suffix, x, state, lambda z, _: [z.tanh()], reverse=reverse, led=led, order=(0,))


def _relu(module: Any, suffix: str, x: Any, state: list[Any], *, reverse: bool, led: bool) -> Any:
    return _joined(module, suffix, x, state, lambda z, _: [z.relu()], reverse=reverse, led=led, order=(0,))


def _gru(module: Any, suffix: str, x: Any, state: list[Any], *, reverse: bool, led: bool) -> Any:
    """Return the same of a GRU, whose inputs pass one matrix, all steps at once, and its states another."""
    del led  # nothing of the input is in the first product with a state
    from torch.nn.functional import linear

    of_input, of_state, *biases = _weights(module, suffix)
    samples = x.transpose(0, 1)
    h, given = state[0], linear(samples, of_input, biases[0])
    hidden, used = [x] * len(x), [Used(f"weight_ih_{suffix}", samples.detach(), given, (2, 0, 1))]
    for t in reversed(range(len(x))) if reverse else range(len(x)):
        z = linear(h, of_state, biases[1])
        used.append(Used(f"weight_hh_{suffix}", h.detach(), z, (0, 1, 2), back=len(used) > 1))
        (r_x, u_x, n_x), (r_h, u_h, n_h) = given[:, t].chunk(3, -1), z.chunk(3, -1)
        u, n = (u_x + u_h).sigmoid(), (n_x + (r_x + r_h).sigmoid() * n_h).tanh()
        h = hidden[t] = n + u * (h - n)
    return hidden, [h], used


_WAYS = {"LSTM": _lstm, "GRU": _gru, "RNN_TANH": _tanh, "RNN_RELU": _relu}


# --- attention --------------------------------------------------------------------------------------------------------
def _attention(module: Any, *given: Any, **named: Any) -> Replay:
    """Return the same of attention: the products before and behind it; those between are digital, and of no weight."""
    from torch.nn import functional as f

    names, first = ("query", "key", "value"), module.batch_first
    signals: list[Any] = [named.get(name, given[k] if k < len(given) else None) for k, name in enumerate(names)]
    signals = [each.detach() if first else each.detach().transpose(0, 1) for each in signals]
    signals[0].requires_grad_()
    used, parts = _projected(module, signals)
    q, k, v = (each.unflatten(-1, (module.num_heads, -1)).transpose(1, 2) for each in parts)
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    mask = named.get("attn_mask", given[5] if len(given) > 5 else None)
    if mask is not None:
        mask = mask if mask.dim() == 2 else mask.view(scores.shape)
        scores = scores + mask if mask.is_floating_point() else scores.masked_fill(mask, float("-inf"))
    weights = scores.softmax(-1)
    if module.dropout and module.training:
        weights = f.dropout(weights, module.dropout)
    mixed = (weights @ v).transpose(1, 2).flatten(2)
    y = f.linear(mixed, module.out_proj.weight, module.out_proj.bias)
    used.append(Used("out_proj.weight", mixed.detach(), y))
    return [y if first else y.transpose(0, 1)], used


def _projected(module: Any, signals: Sequence[Any]) -> tuple[list[Used], Sequence[Any]]:
    """Return the products before attention, and queries, keys and values: one product, if all have one matrix."""
    import torch
    from torch.nn.functional import linear

    whole, of_bias = module.in_proj_weight, module.in_proj_bias
    names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
    parts = [getattr(module, name) for name in names] if whole is None else whole.chunk(3)
    biases = [None] * 3 if of_bias is None else of_bias.chunk(3)
    made = [linear(*each) for each in zip(signals, parts, biases, strict=True)]
    if whole is None:
        return [Used(name, x.detach(), z) for name, x, z in zip(names, signals, made, strict=True)], made
    z = torch.cat(made, -1)
    return [Used("in_proj_weight", signals[0].detach(), z)], z.chunk(3, -1)
