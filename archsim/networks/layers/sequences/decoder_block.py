"""A block of a decoder of text."""

from __future__ import annotations

from typing import Literal

from archsim.networks.layers.sequences.transformer_block import TransformerBlock


class DecoderBlock(TransformerBlock):
    """x + attention(norm x), then y + dense(gelu(dense(norm y))): pre-norm, each step seeing those up to itself."""

    kind: Literal["decoder-block"] = "decoder-block"

    @property
    def causal(self) -> bool:
        """True."""
        return True

    @property
    def first(self) -> bool:
        """True."""
        return True
