"""A block of an encoder of text or of patches of an image."""

from __future__ import annotations

from typing import Literal

from archsim.networks.layers.sequences.transformer_block import TransformerBlock


class EncoderBlock(TransformerBlock):
    """Attention in which each step sees all, then dense(gelu(dense y)); x is added to each.

    `norm: before`, as in a vision transformer: x + attention(norm x), then y + dense(norm y). `norm: after`, as in
    BERT: norm(x + attention x), then norm(y + dense y).
    """

    kind: Literal["encoder-block"] = "encoder-block"
    norm: Literal["before", "after"] = "before"

    @property
    def causal(self) -> bool:
        """False."""
        return False

    @property
    def first(self) -> bool:
        """Whether norms stand before."""
        return self.norm == "before"
