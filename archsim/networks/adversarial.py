"""Networks of a generator and a discriminator: two programs over one graph, done in turn in each training step.

Goodfellow et al., Generative Adversarial Nets, NeurIPS 2014 (arXiv:1406.2661), with the generator's loss that does not
saturate (section 3 there).
"""

from __future__ import annotations

from collections.abc import Set

from archsim.networks.builder import Builder
from archsim.networks.faults import NamedFault
from archsim.networks.graph import Tensor
from archsim.networks.losses import loss
from archsim.networks.network import Network
from archsim.networks.rules.backprop import forward, training
from archsim.networks.rules.writer import Loss

LATENT = "z"
"""Name of the feed of what samples are generated from."""
REAL, GENERATED = "real", "generated"
"""Names of the feeds of what a discriminator shall say of samples: 1 and 0, for each element of its result."""
OUTPUTS = 3
"""Outputs of a training step, one below the other: of real samples and of generated ones before the discriminator has
learnt from them, of generated ones after."""


def adversarial(builder: Builder, generator: Set[str], made: Tensor, judged: tuple[Tensor, Tensor]) -> Network:
    """Return a network that learns to make samples by telling them from others.

    Parameters
    ----------
    builder : Builder
        With the generator and, twice, the discriminator.
    generator : names of the matrices and parameters that are the generator's
    made : Tensor
        The generated sample.
    judged : (Tensor, Tensor)
        What the discriminator says of a real sample and of the generated one.

    Raises
    ------
    ModelError
        If the discriminator does not end in a sigmoid, or a layer carries a state from batch to batch.
    """
    of_real, of_made = judged
    builder.feed(REAL, of_real.shape)
    builder.feed(GENERATED, of_made.shape)
    graph = builder.graph()
    if graph.states:
        state = next(iter(graph.states))
        raise NamedFault(
            f"{state} is carried from batch to batch; expected none in a generator or a discriminator", state
        )

    def said(of: Tensor, target: str) -> Loss:
        return loss("binary-cross-entropy", graph, of, target)

    discriminator = builder.names() - generator
    outputs = [of_real.name, of_made.name]
    train_d = training(
        graph, [said(of_real, REAL), said(of_made, GENERATED)], outputs=outputs, update=discriminator, name="train D"
    )
    train_g = training(graph, [said(of_made, REAL)], outputs=outputs[1:], update=generator, name="train G")
    return Network(graph, (train_d, train_g), forward(graph, [made.name]), latent=(LATENT,))
