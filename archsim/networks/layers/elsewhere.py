"""What other tools call keys and kinds of layers, and what to write here: hints where one of these names is met."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archsim.base.errors import folded

KEYS: Mapping[str, str] = {
    **dict.fromkeys(
        ("channels", "out_channels", "filters", "neurons", "features", "out_features", "hidden", "hidden_size",
         "outputs", "width"), "units"
    ),
    **dict.fromkeys(("kernel", "kernel_size", "pool_size", "size"), "window"),
    **dict.fromkeys(("strides",), "stride"),
    **dict.fromkeys(("input", "inputs", "from"), "of"),
    **dict.fromkeys(("p", "probability"), "rate"),
    **dict.fromkeys(("vocab", "vocab_size", "num_embeddings"), "vocabulary"),
    **dict.fromkeys(("num_heads", "n_heads"), "heads"),
}  # fmt: skip
"""A key elsewhere -> the key here."""

_NAMES = {
    "dense": "linear fc fully-connected lazylinear gemm matmul",
    "conv2d": "conv convolution convolution2d lazyconv2d",
    "conv2d-transposed": "convtranspose2d convtranspose conv2dtranspose deconv deconvolution",
    "depthwise": "depthwiseconv depthwiseconv2d",
    "max-pool": "maxpool2d maxpooling maxpooling2d",
    "average-pool": "avgpool avgpool2d averagepooling averagepooling2d",
    "global-average": "globalavgpool globalaveragepool globalaveragepooling globalaveragepooling2d gap "
                      "adaptiveavgpool2d",
    "batch-norm": "batchnorm1d batchnorm2d batchnormalization bn",
    "layer-norm": "layernormalization ln",
    "group-norm": "groupnormalization",
    "local-norm": "localresponsenorm localresponsenormalization lrn",
    "attention": "multiheadattention multihead-self-attention self-attention mha",
    "attend": "scaled-dot-product-attention sdpa",
    "encoder-block": "transformerencoder transformerencoderlayer",
    "decoder-block": "transformerdecoder transformerdecoderlayer",
    "upsample": "upsampling upsampling2d upsamplenearest2d",
    "dropout": "dropout1d dropout2d",
    "add": "sum residual skip",
    "concat": "concatenate cat",
    "multiply": "mul product",
    "pad": "padding zeropad2d zeropadding2d",
    "shuffle": "channelshuffle",
}  # fmt: skip

_STRANGE = ("selu", "celu", "prelu", "softplus", "softsign", "hardtanh", "logsoftmax", "logsigmoid")
_LINE = (
    "A line is an image of one row: `inputs: [1, places, channels]`, and conv2d, max-pool or average-pool with a "
    "window such as [1, 3]"
)
_SAID = {
    "pool pooling": "Write max-pool or average-pool",
    "simplernn recurrent": "Write rnn, lstm or gru",
    "conv1d convolution1d maxpool1d maxpooling1d avgpool1d averagepooling1d": _LINE,
    "separableconv separableconv2d": "Write a depthwise layer, then a conv2d with `window: 1`",
    "transformer": "Write encoder-block or decoder-block",
    "reshape view permute transpose": "Write flatten, sequence or fit",
    "input inputlayer": "The shape of a sample is `inputs` of the network, no layer",
    "identity noop": "Leave it out",
    "sequential model": "Its layers stand in the list one by one",
}


def _activated(name: str) -> str:
    return f"Write `activation: {name}` in the layer before, or {{kind: activation, activation: {name}}}"


def kinds(activations: Iterable[str]) -> Mapping[str, str]:
    """Return a kind elsewhere, `folded` -> the kind here, or what to do in its place."""
    known = [name for name in activations if name != "linear"]  # elsewhere that is a matrix
    return {
        **{folded(name): kind for kind, names in _NAMES.items() for name in names.split()},
        **{folded(name): _activated(name) for name in known},
        "swish": _activated("silu"),
        **dict.fromkeys(_STRANGE, f"There is none; the activations are {', '.join(known)}"),
        **{name: said for names, said in _SAID.items() for name in names.split()},
    }
