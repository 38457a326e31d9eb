"""What a workload trains for: the task of its data and its network."""

from __future__ import annotations

from archsim.base.errors import ModelError
from archsim.base.metrics import Metric
from archsim.base.streams import Streams
from archsim.data.dataset import Dataset, Source
from archsim.data.text import TextDataset
from archsim.networks.network import INPUT, Network
from archsim.runs.tasks.adversarial import Adversarial
from archsim.runs.tasks.base import Task
from archsim.runs.tasks.images import Classification
from archsim.runs.tasks.text import Characters


def task(data: Source, network: Network, batch: int, streams: Streams, *, test_samples: int | None = None) -> Task:
    """Return what a network is trained for on some data.

    Raises
    ------
    ModelError
        If there is no task on data of this kind.
    """
    if isinstance(data, Dataset) and network.latent:
        return Adversarial(data, network, batch, streams, test_samples=test_samples)
    if isinstance(data, Dataset):
        return Classification(data, network, batch, streams, test_samples=test_samples)
    if isinstance(data, TextDataset):
        return Characters(data, network, batch, streams, test_samples=test_samples)
    raise ModelError(f"no task on {type(data).__name__}")


def judged_by(data: Source, network: Network) -> Metric:
    """Return the metric of what is trained on some data.

    Raises
    ------
    ModelError
        If there is no task on data of this kind.
    """
    if isinstance(data, Dataset):
        return Adversarial.metric if network.latent else Classification.metric
    if isinstance(data, TextDataset):
        return Characters.metric
    raise ModelError(f"no task on {type(data).__name__}")


def training_samples(data: Source, network: Network) -> int:
    """Return the samples of one pass through the training data: images, or windows of a text."""
    if isinstance(data, TextDataset):
        return max((data.train.size - 1) // network.graph.tensors[INPUT].shape[0], 1)
    if isinstance(data, Dataset):
        return len(data.train_x)
    raise ModelError(f"no task on {type(data).__name__}")
