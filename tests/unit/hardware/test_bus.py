"""Buses: width, arbitration, one transfer at a time."""

from __future__ import annotations

from typing import Any

from hardware_kit import TAG, counted, elapsed
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.accounting.ledger import Ledger
from archsim.hardware.bus import Bus, HostLink
from archsim.hardware.clock import Clock


def bus(clock: Clock, ledger: Ledger, *, width: int = 32, cycle: int = 1019, arbitration: int = 1) -> Bus:
    return Bus(
        clock, ledger, "bus", width_bit=width, cycle_ps=cycle, arbitration_cycles=arbitration, length_m=1e-3
    )  # fmt: skip


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    bits=st.integers(0, 5000), width=st.integers(1, 128), cycle=st.integers(1, 3000), arbitration=st.integers(0, 4),
    eager=st.booleans(),
)  # fmt: skip
def test_a_transfer_takes_arbitration_and_a_cycle_for_each_word_begun(
    bits: int, width: int, cycle: int, arbitration: int, eager: bool
) -> None:
    clock, ledger = Clock(eager=eager), Ledger()
    unit = bus(clock, ledger, width=width, cycle=cycle, arbitration=arbitration)
    words = (bits + width - 1) // width

    _, ps = elapsed(clock, unit.send(bits, TAG))
    assert ps == unit.send_ps(bits) == (arbitration + words) * cycle
    assert counted(ledger, "bus") == ({"transfer": bits} if bits else {})


def test_transfers_of_several_senders_follow_each_other_in_order() -> None:
    clock, ledger = Clock(), Ledger()
    unit = bus(clock, ledger)
    ends = []

    def send(bits: int) -> Any:
        yield from unit.send(bits, TAG)
        ends.append((bits, clock.now))

    for bits in (320, 32, 64):
        clock.process(send(bits))
    clock.run()
    assert ends == [(320, 11 * 1019), (32, 13 * 1019), (64, 16 * 1019)]
    assert counted(ledger, "bus") == {"transfer": 320 + 32 + 64}


def test_a_bus_twice_as_wide_halves_the_words_and_leaves_the_bits() -> None:
    for width in (32, 64):
        clock, ledger = Clock(), Ledger()
        _, ps = elapsed(clock, bus(clock, ledger, width=width, arbitration=0).send(6400, TAG))
        assert ps == 6400 // width * 1019
        assert counted(ledger, "bus") == {"transfer": 6400}


def test_a_wire_has_its_length_and_the_host_link_its_own_function() -> None:
    assert bus(Clock(), Ledger()).sizes("transfer") == {"length_m": 1e-3}
    assert Bus.ACTIONS["transfer"].function == "on-chip transport"
    assert HostLink.ACTIONS["transfer"].function == "host link"
