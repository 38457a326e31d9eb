"""What architecture files have in common, and the accounted boundary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from archsim.accounting.ledger import FUNCTIONS
from archsim.base import registry
from archsim.base.errors import nearest
from archsim.base.extends import chain, merge
from archsim.base.finding import find
from archsim.base.quantities import Bits, BitWidth, Count, Length, Switch
from archsim.base.yamlfile import Document, FileRecord, Key, Record, given, validate

KIND = "architecture"


class Boundary(Record):
    """Which functions the account of a chip counts; every function of the closed list is named once."""

    inside: list[str]
    outside: list[str]

    @model_validator(mode="after")
    def _complete(self) -> Boundary:
        named = [*self.inside, *self.outside]
        for function in named:
            if function not in FUNCTIONS:
                hint = nearest(function, FUNCTIONS)
                raise ValueError(
                    f"got {function!r}; expected one of {', '.join(FUNCTIONS)}" + (f". {hint}" if hint else "")
                )
            if named.count(function) > 1:
                raise ValueError(f"{function!r} is named twice; expected each function once")
        if missing := [function for function in FUNCTIONS if function not in named]:
            raise ValueError(f"nothing is said of {', '.join(missing)}; expected each function inside or outside")
        return self


class BusFile(Record):
    """The on-chip bus: width, wire length, cycles of arbitration before a transfer."""

    width: BitWidth
    length: Length
    arbitration_cycles: Annotated[int, Field(ge=0, le=1_000_000, strict=True)]


class HostFile(Record):
    """The link to the host: width and bits of one input element."""

    width: BitWidth
    input_bits: Bits


class DigitalUnitFile(Record):
    """Elementwise lanes and the words of the signal buffer."""

    lanes: Count
    buffer_words: Count
    buffer_banks: Count = 1


class FlowFile(Record):
    """Batches flow over the units: so many samples make a micro-burst, which is in one unit while others are in others.

    With a `staleness` of 0 a batch finds the weights that the one before has written. With 1 it is on its way forward
    with those that the one before that has written, and finds the newer ones on its way back.
    """

    samples: Count
    staleness: Literal[0, 1] = 0


class FeedbackFile(Record):
    """Where the random matrices of a learning rule lie: in a memory, in tiles of their own, or nowhere.

    A `generator` makes their elements anew at each use. Signs of weights lie in a memory always. On a chip with tiles
    so many `lanes` multiply what lies in a memory or comes from a generator; a digital one does it on its own.
    """

    at: Literal["tiles", "memory", "generator"]
    lanes: Count = 1


class DramFile(Record):
    """Memory below the chip, for what does not fit on it: its standard and data pins.

    With `overlap` signals come and go while the chip computes, as far as the buffer has room for both: those of the
    next call beside the one before, those that pass through beside their own. Without it the chip waits for them.
    """

    kind: Literal["lpddr5", "hbm2e", "hbm3"]
    pins: Count
    overlap: Switch = False


class LinkFile(Record):
    """What joins chips of this kind where a network asks for several: bits a cycle of the link."""

    width: BitWidth


class Architecture(FileRecord):
    """A buildable chip's structure. Chip kinds extend it with their own blocks."""

    kind: Literal["architecture"]
    chip: str
    name: str
    title: str
    boundary: Boundary
    host: HostFile
    bus: BusFile
    digital_unit: DigitalUnitFile
    flow: FlowFile | None = None
    dram: DramFile | None = None
    link: LinkFile | None = None
    feedback: FeedbackFile | None = None
    NAMES_FILES: ClassVar[Key] = ()
    """Key that names a further file, which is looked up beside the file where the key stands."""
    _home: Path | None = PrivateAttr(default=None)

    @property
    def home(self) -> Path | None:
        """Folder in which the files that the architecture names are looked up, too; None if it stands in no file."""
        return self._home

    def at(self, home: Path) -> Self:
        """Return the architecture as one whose file stands in a folder."""
        found = self.model_copy()
        found._home = home  # noqa: SLF001  its own
        return found

    def files(self) -> list[Path]:
        """Return the further files that the architecture names."""
        return []

    def switched_on(self) -> list[str]:
        """Return the names of the non-idealities that are on, and in the chip's devices."""
        return []

    def switched_off(self) -> list[str]:
        """Return the names of the non-idealities that are off."""
        return []

    def notes(self) -> list[str]:
        """Return what is worth knowing of the chip's values before it is run, each with what to set instead."""
        return []

    def absent(self) -> list[str]:
        """Return the names of the non-idealities that have a switch, but are not in the chip's devices."""
        return []


def document(name: str | Mapping[str, Any], settings: Mapping[Key, str] | None = None) -> Document:
    """Read an architecture by path, shipped name or its content, laid over what it extends, `--set` values over it.

    Raises
    ------
    InputError
        As `base.extends.chain`, or if one of the files is no architecture.
    """
    start = find(name, "architectures", option="--arch") if isinstance(name, str) else given(name, KIND)
    return merge(chain(start, "architectures", _is_architecture)).with_settings(dict(settings or {}))


def _is_architecture(document: Document) -> None:
    if (kind := document.data.get("kind", KIND)) != KIND:
        raise document.error(("kind",), value=kind, expected=f"{KIND!r}")


def parse(source: Document) -> Architecture:
    """Validate an architecture document with the schema of the chip it names.

    Raises
    ------
    InputError
        For an unknown chip, or whatever breaks the schema.
    """
    chip = source.data.get("chip")
    known = registry.names("chip")
    if chip not in known:
        hint = nearest(str(chip), known)
        raise source.error(("chip",), value=chip, expected=f"one of {', '.join(known)}", hint=hint)
    implementation: Any = registry.load("chip", str(chip))
    read_: Architecture = validate(source, implementation.SCHEMA)
    architecture = read_ if source.text else read_.at(source.home(implementation.SCHEMA.NAMES_FILES).parent)
    if architecture.name != source.path.stem:
        raise source.error(("name",), value=architecture.name, expected=f"the file's own name, {source.path.stem!r}")
    implementation.check(source, architecture)
    return architecture
