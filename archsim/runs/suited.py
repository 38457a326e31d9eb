"""Whether a network suits its data and its batch: what it reads, what it ends in, what it can be taught.

And whether what a chip is priced and clocked by suits its devices, which nothing refuses but a reader must know.
"""

from __future__ import annotations

from collections.abc import Iterable

from archsim.accounting.technology import Technology
from archsim.base.yamlfile import Document, Key
from archsim.chips.architecture import Architecture
from archsim.chips.crossbars.crossbar_file import CrossbarArchitecture
from archsim.data.dataset import Dataset, Source
from archsim.data.text import TextDataset
from archsim.learning.functions import words
from archsim.learning.norms.functions import Moments
from archsim.learning.sequences.codes import LookUp, OneHot
from archsim.networks.file import AnyNetwork
from archsim.networks.network import INPUT, Network
from archsim.technologies.of_device import is_foreign, of_shipped


def check(document: Document, told: AnyNetwork, network: Network, dataset: Source, batch: int) -> None:
    """Refuse a network that does not suit its data, with the place in its file.

    Parameters
    ----------
    document : the workload's file
    told, network : what it says of the network, and the network
    dataset : Source
    batch : samples of a training step

    Raises
    ------
    InputError
        If the network does not read what the data are, has no target for what it ends in, or normalises by a batch
        that is one vector.
    """
    if network.latent:
        _check_generated(document, told, network, dataset)
    elif isinstance(dataset, TextDataset):
        _check_text(document, told, network, dataset)
    elif isinstance(dataset, Dataset):
        if network.inputs != (elements := dataset.train_x.shape[1]):
            expected = f"{elements}, the elements of a sample of {dataset.name}"
            raise document.error(("network", "inputs"), value=network.inputs, expected=expected)
        for node in network.graph.nodes:
            if INPUT in node.inputs and isinstance(node.what, OneHot | LookUp):
                raise document.error(
                    _home(told, node.layer), f"looks up codes, and samples of {dataset.name} are numbers from 0 to 1",
                    expected="a text, dataset: {text: FILE}, or a layer that takes numbers",
                )  # fmt: skip
        _check_targets(document, told, network, dataset.classes, ("class", "an image", 1))
    _check_norms(document, told, network, dataset, batch)


def _check_generated(document: Document, told: AnyNetwork, network: Network, dataset: Source) -> None:
    elements = dataset.train_x.shape[1] if isinstance(dataset, Dataset) else None
    if network.inputs != elements:
        expected = f"{elements}, the elements of a sample of {dataset.name}" if elements else "none of a text"
        raise document.error(_last(told), f"the generator ends in {network.inputs} elements", expected=expected)


def _check_text(document: Document, told: AnyNetwork, network: Network, dataset: TextDataset) -> None:
    shape, size = network.graph.tensors[INPUT].shape, len(dataset.vocabulary)
    if len(shape) != 2 or shape[1] != 1:
        expected = "[steps, 1]: the codes of so many characters of a text"
        raise document.error(("network", "inputs"), value=list(shape), expected=expected)
    for node in network.graph.nodes:
        if INPUT in node.inputs and isinstance(node.what, OneHot | LookUp) and node.what.vocabulary < size:
            raise document.error(
                (*_home(told, node.layer), "vocabulary"), value=node.what.vocabulary,
                expected=f"{size} or more, the characters of {dataset.name}",
            )  # fmt: skip
    _check_targets(document, told, network, size, ("character", "a sequence", shape[0]))


def _check_targets(document: Document, told: AnyNetwork, network: Network, size: int, of: tuple[str, str, int]) -> None:
    """Refuse outputs that have no target; `of` says what a target is, of what, and how many vectors of it there are."""
    what, sample, vectors = of
    if network.outputs != size:
        raise document.error(
            _last(told), f"the network ends in {network.outputs} units", expected=f"{size}, one for each {what}"
        )
    name, _ = network.inference.results[0]
    if (given := words(network.graph.tensors[name].shape[:-1])) != vectors:
        raise document.error(
            _last(told), f"the network ends in {_vectors(given)} of {size}, for which there are no targets",
            expected=f"{_vectors(vectors)}: {sample} has {vectors} target{'s' if vectors > 1 else ''}",
            hint="A flatten or global-average before it makes one of all vectors" if vectors == 1 < given else None,
        )  # fmt: skip


def _check_norms(document: Document, told: AnyNetwork, network: Network, dataset: Source, batch: int) -> None:
    """Refuse a norm over batches of one vector: it has no variance."""
    images = len(dataset.train_x) if isinstance(dataset, Dataset) else 0
    if batch == 1:
        why = "the batch is one sample"
    elif images % batch == 1:
        why = f"{images} samples in batches of {batch} leave one over"
    else:
        return
    for node in network.graph.nodes:
        if isinstance(node.what, Moments) and node.what.summed and words(node.what.shapes[0][:-1]) == 1:
            raise document.error(
                _home(told, node.layer),
                f"{node.layer} normalises over a batch of one vector, which has no variance: {why}",
                expected="a training.batch of 2 or more that leaves no single sample over, or another norm",
            )


def _vectors(number: int) -> str:
    return f"{number} vectors" if number > 1 else "one vector"


def _home(told: AnyNetwork, name: str) -> Key:
    return ("network", *told.home(name))


def _last(told: AnyNetwork) -> Key:
    return ("network", *told.last)


def notes(architecture: Architecture, technologies: Iterable[Technology]) -> list[str]:
    """Return what is worth knowing of a chip before it is run, each with what to set instead.

    That is what its file says, and pulses that a technology prices as those of another kind of memory.
    """
    found = architecture.notes()
    if not isinstance(architecture, CrossbarArchitecture):
        return found
    written = architecture.written()
    for technology in technologies:
        if is_foreign(technology, written):
            memory = " and ".join(dict.fromkeys(each for each in written.values() if each is not None))
            own = of_shipped(written)
            instead = f"--tech {own} has" if own else "no technology that ships has"
            found.append(
                f"{technology.name} prices pulses of another memory than {memory} of this chip: {instead} its own"
            )
    return found
