"""Which of the shipped technologies has the pulses of a device: figures and times are those of one kind of memory."""

from __future__ import annotations

DEFAULT, RESISTIVE, ELECTROCHEMICAL, HYBRID = "bottom-up-14nm", "reram-14nm", "ecram-14nm", "hybrid-14nm"
SHIPPED = (DEFAULT, RESISTIVE, ELECTROCHEMICAL, HYBRID)
"""Technologies that are of one kind of memory each; of any other nothing is said."""
TECHNOLOGIES = {
    "reram": RESISTIVE, "epiram": RESISTIVE, "agasi": RESISTIVE, "gokmen": RESISTIVE, "ecram": ELECTROCHEMICAL
}  # fmt: skip
"""Begin of a device's name -> the technology that prices and clocks it: resistive memories, among them the device of
Gokmen and Vlasov's specification, and electrochemical ones; all others, idealised devices and capacitors among them,
the default one; hybrid cells have one of their own. That is a choice of this program, `--tech` makes another."""
KNOWN = {"pcm": DEFAULT, **TECHNOLOGIES}
"""Begins of names of devices that are one kind of memory; of idealised devices nothing is said."""
WRITTEN_IN_PLACE = ("epiram",)
"""Begins of names of devices whose pulses the default technology has where a chip updates in the array."""


def technology_of(device: str) -> str:
    """Return the technology that goes with a device, by its name; the default one where the name tells nothing."""
    return next((tech for begin, tech in TECHNOLOGIES.items() if device.startswith(begin)), DEFAULT)


def foreign(device: str, technology: str, *, hybrid: bool, in_place: bool) -> str | None:
    """Return the technology that goes with a device where one of another kind of memory is used; None if it will do.

    Parameters
    ----------
    device : name of a shipped device; of a file of one's own nobody knows here what it is, and nothing is said
    technology : name
    hybrid : bool
        Whether a pair of PCM stands beside the device.
    in_place : bool
        Whether the chip updates in the array.
    """
    own = HYBRID if hybrid else next((tech for begin, tech in KNOWN.items() if device.startswith(begin)), None)
    if own is None or technology not in SHIPPED or technology == own:
        return None
    return None if technology == DEFAULT and in_place and device.startswith(WRITTEN_IN_PLACE) else own
