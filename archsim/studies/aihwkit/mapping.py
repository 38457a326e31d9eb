"""What of an rpu_config an architecture and a device file can say, and what they cannot.

Source of the meanings: aihwkit 1.2.0, the docstrings of its parameters (ibm2021aihwkit in the bibliography).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from archsim.base.errors import InputError
from archsim.studies.aihwkit.dump import KIND

Block = Mapping[str, Any]
LOW, HIGH = 0.1e-6, 12e-6
"""Bounds of the conductance [S] that its weights are put on: the toolkit knows no siemens. Those of the PCM device."""
COMMON = 1.6e-6
"""Conductance [S] that both devices of a pair begin around, likewise."""
STAND_INS = {"PCMPresetDevice": "pcm-nandakumar2018", "ReRamESPresetDevice": "reram-soft-bounds"}
"""Devices of a law that archsim does not have -> the shipped device of the same material."""
LINEAR, SOFT = "LinearStepDevice", {"SoftBoundsDevice", "SoftBoundsReferenceDevice", "SoftBoundsPmaxDevice"}
CONSTANT = {"ConstantStepDevice", "ConstantStepPresetDevice"}
IDLE: tuple[Any, ...] = (0, 0.0, False, None, "NONE", "NOT_SET", [])
"""Values with which an effect is off."""
TRAINS = {"STOCHASTIC", "STOCHASTIC_COMPRESSED"}
"""Pulses that come where random trains on rows and columns meet; they differ in what is drawn at a time."""
AS_HERE = {"transfer_every": 1, "n_rows_per_transfer": -1, "transfer_lr": 1.0}
"""How the mixed-precision update is done here, too: after each step, of all rows."""
QUIET = {
    KIND, "bases", "construction_seed", "ir_drop_g_ratio", "v_offset_w_min", "max_bm_factor", "max_bm_res", "mv_type",
    "bm_test_negative_bound", "out_scale", "fixed_bl", "um_grad_scale", "wg_ratio", "t_0", "reset_tol", "reset_dtod",
    "reset_std", "reset", "enforce_consistency", "corrupt_devices_range", "count_pulses", "units_in_mbatch",
    "inp_bound", "apply_write_noise_on_set", "drift", "update_bl_management", "update_management", "stoc_round_x",
    "stoc_round_d",
}  # fmt: skip
"""Parameters that say nothing by themselves, or how a simulation is done."""


@dataclass
class Mapped:
    """An architecture, a device where one could be said, and what could not be mapped, a line each."""

    architecture: dict[str, Any]
    device: dict[str, Any] | None = None
    lost: list[str] = field(default_factory=list)


def tile(config: Block, mapped: Mapped) -> dict[str, Any]:
    """Return the tiles of a configuration: their lines, converters and scales."""
    forward, backward, mapping = config["forward"], config.get("backward") or config["forward"], config["mapping"]
    found: dict[str, Any] = {}
    for key, name in (("rows", "max_input_size"), ("columns", "max_output_size")):
        if mapping[name] > 0:
            found[key] = int(mapping[name])
        else:
            mapped.lost.append(f"mapping.{name}: 0, tiles of any size; those of the architecture it extends are kept")
    dac, adc = bits(forward["inp_res"]), bits(forward["out_res"])
    found["dac"] = {"bits": dac or 16, "input_scale": _scaled(forward), "error_scale": "vector"}
    found["adc"] = {"bits": adc or 16, "tracked": None}
    for key, side in (("forward_full_scale", forward), ("backward_full_scale", backward)):
        if side["out_bound"] > 0:
            found["adc"][key] = float(side["out_bound"])
    mapped.lost += _directions(forward, backward, dac, adc)
    if mapping.get("digital_bias"):
        mapped.lost.append("mapping.digital_bias: biases are digital; here they are a row of the tile")
    for name in ("weight_scaling_omega", "learn_out_scaling"):
        if mapping.get(name):
            mapped.lost.append(f"mapping.{name}: {mapping[name]}; weights keep one unit")
    return found


def _directions(forward: Block, backward: Block, dac: int, adc: int) -> Iterator[str]:
    """Yield what is lost of both directions: what only one of them has, and effects that chips here do not have."""
    for what, mine in (("inp_res", dac), ("out_res", adc)):
        if (other := bits(backward[what])) != mine:
            yield f"backward.{what}: {other or 'no'} bits; both directions have the forward ones here"
    if _scaled(backward) != "vector":
        yield "backward.noise_management: NONE; errors are divided by the largest of each vector"
    used = {"inp_res", "out_res", "out_bound", "noise_management", "is_perfect"}
    for name, side in (("forward", forward), ("backward", backward)):
        yield from (f"{name}.{line}" for line in _left(side, used))


def switches(config: Block) -> dict[str, bool]:
    """Return which converters round and clip."""
    forward = config["forward"]
    perfect = bool(forward.get("is_perfect"))
    return {
        "dac_quantisation": not perfect and bits(forward["inp_res"]) > 0,
        "adc_quantisation": not perfect and bits(forward["out_res"]) > 0,
        "adc_clipping": not perfect and forward["out_bound"] > 0,
    }


def bits(resolution: float) -> int:
    """Return the bits, sign included, of a resolution 1/(2^bits - 2) of the range; 0 for none."""
    return 0 if resolution <= 0 else max(round(math.log2(1 / resolution + 2)), 2)


def mapped(dump: Block, name: str, *, device: str | None = None) -> Mapped:
    """Return an rpu_config as an architecture and a device.

    Parameters
    ----------
    dump : as `dump.whole` returns it
    name : str
        Of the architecture.
    device : str, optional
        Device of archsim's, by name or file, in place of the configuration's own.

    Raises
    ------
    InputError
        If it is no configuration of a training in arrays, or its update is one that is not mapped.
    """
    config = dump.get("rpu_config")
    if not isinstance(config, Mapping) or not {"forward", "mapping"} <= config.keys():
        raise InputError(
            "has no rpu_config with forward and mapping", key="rpu_config",
            expected="JSON of archsim/studies/aihwkit/dump.py, or FILE.py:NAME where aihwkit is installed",
        )  # fmt: skip
    cell, kind = config.get("device"), str(config.get(KIND))
    if not isinstance(cell, Mapping) or "noise_model" in config:
        raise InputError(
            "trains in digital", key="rpu_config", value=kind,
            expected="a configuration with a device that is updated, such as MixedPrecisionPCMPreset",
        )  # fmt: skip
    found = Mapped({"schema": 1, "kind": "architecture"})
    mixed = "MixedPrecisionCompound" in _kinds(cell)
    parent = "mixed-precision" if mixed else "in-array"
    title = f"{kind} of aihwkit {dump.get('aihwkit') or 'of unknown version'} as a chip like {parent}"
    found.architecture |= {"extends": parent, "name": name, "title": title, "tile": tile(config, found)}
    (_mixed if mixed else _in_array)(config, cell, found, name, device)
    found.architecture["nonidealities"] = switches(config)
    return found


def tiles_alone(dump: Block, parent: str, name: str) -> Mapped:
    """Return an architecture that has the tiles and converters of an rpu_config, and all else of another one."""
    config, found = dump["rpu_config"], Mapped({"schema": 1, "kind": "architecture"})
    title = f"Tiles and converters of {config.get(KIND)} on a chip like {parent}"
    found.architecture |= {"extends": parent, "name": name, "title": title, "tile": tile(config, found)}
    found.architecture["nonidealities"] = switches(config)
    return found


# --- updates ----------------------------------------------------------------------------------------------------------
def _mixed(config: Block, cell: Block, found: Mapped, name: str, given: str | None) -> None:
    """Say the mixed-precision update: bits of the outer product, refresh, the devices of a pair."""
    del config
    inner = cell["device"]
    outer = {}
    for key, bins in (("x_bits", "n_x_bins"), ("error_bits", "n_d_bins")):
        outer[key] = max(math.ceil(math.log2(cell[bins] + 1)), 2) if cell.get(bins) else 16
        if not cell.get(bins):
            found.lost.append(f"device.{bins}: 0, not rounded; 16 bits here")
    found.architecture["outer_product"] = outer
    used = {"device", "n_x_bins", "n_d_bins"} | {name for name, usual in AS_HERE.items() if cell.get(name) == usual}
    found.lost += [f"device.{line}" for line in _left(cell, used)]
    pair = "OneSidedUnitCell" in _kinds(inner)
    if pair:
        span, low = HIGH - LOW, inner.get("refresh_lower_thres", 0.25)
        found.architecture["refresh"] = {
            "every": int(inner.get("refresh_every") or 1),
            "saturated": _si(LOW + inner["refresh_upper_thres"] * span), "difference": _si(low * span),
        }  # fmt: skip
    else:
        found.lost.append(f"device.device: one {inner.get(KIND)} a weight; here a pair of them, pulsed one way")
    _device(inner["unit_cell_devices"][0] if pair else inner, found, name, given)


def _in_array(config: Block, cell: Block, found: Mapped, name: str, given: str | None) -> None:
    """Say plain gradient descent in the array: trains of pulses on all lines at once, or pulses by chance."""
    if "PulsedDevice" not in _kinds(cell) and given is None:
        raise InputError(
            "has an update that is not mapped", key="rpu_config.device", value=cell.get(KIND),
            expected="MixedPrecisionCompound, or one pulsed device a weight",
            hint="Of the transfer rules archsim has tiki-taka (v2), chopped-tiki-taka and agad, to be set by hand",
        )  # fmt: skip
    update = config["update"]
    used = {"desired_bl", "pulse_type"}
    if update.get("pulse_type") in TRAINS and update.get("update_management", True):
        managed = bool(update.get("update_bl_management", True))
        found.architecture["update"] = {
            "rounding": "trains", "rows": "parallel",
            "trains": {"length": int(update["desired_bl"]), "managed": managed},
        }  # fmt: skip
        used |= {"update_management", "update_bl_management"}
    else:
        found.architecture["update"] = {"rounding": "stochastic", "rows": "parallel"}
        found.lost.append(
            f"update.pulse_type: {update['pulse_type']} of up to {update['desired_bl']} coincidences; the expected "
            "number of pulses is rounded by chance here"
        )
    found.lost += [f"update.{line}" for line in _left(update, used)]
    _device(cell, found, name, given)


def _device(one: Block, found: Mapped, name: str, given: str | None) -> None:
    """Say the device of a weight: its own law, or a shipped device in its place."""
    kind, kinds = str(one.get(KIND)), _kinds(one)
    stand_in = given or STAND_INS.get(kind)
    if stand_in is None and not kinds & {LINEAR, *SOFT, *CONSTANT}:
        raise InputError(
            "is of a law that archsim does not have", key="rpu_config.device", value=kind,
            expected="constant, linear or soft-bounds steps, or a device of archsim's with --device",
        )  # fmt: skip
    if stand_in is not None:
        found.architecture["weight"] = {"device": stand_in}
        found.lost.append(f"device: {kind} has another law than archsim's devices; {stand_in} stands in for it")
        return
    gammas = (1.0, 1.0) if kinds & SOFT else (0.0, 0.0) if kinds & CONSTANT else (one["gamma_up"], one["gamma_down"])
    found.device = _stepped(one, gammas, f"{name}-device")
    found.architecture["weight"] = {"device": f"{name}-device.yaml", "unit": _si((HIGH - LOW) / _span(one))}
    used = {"dw_min", "dw_min_std", "dw_min_dtod", "up_down", "w_max", "w_min", "gamma_up", "gamma_down", "mult_noise"}
    found.lost += [f"device.{line}" for line in _left(one, used)]


def _stepped(one: Block, gammas: tuple[float, float], name: str) -> dict[str, Any]:
    """Return the file of a device whose step falls linearly: dw_min (1 +- up_down) (1 - gamma w / w_bound)."""
    span, up_down = _span(one), float(one.get("up_down", 0.0))
    low, high, step = one["w_min"], one["w_max"], one["dw_min"] * (HIGH - LOW) / span
    sides = {}
    for way, sign, gamma, behind, ahead in (("up", 1, gammas[0], low, high), ("down", -1, gammas[1], high, low)):
        first, last = 1 - gamma * behind / ahead, 1 - gamma
        why = (
            f"{one[KIND]} of the rpu_config: dw_min {one['dw_min']:g}, up_down {up_down:g}, w_min {low:g}, w_max "
            f"{high:g}, gamma_{way} {gamma:g}; {step * (1 + sign * up_down) * first:.4g} S over a range of "
            f"{HIGH - LOW:.4g} S"
        )
        sides[way] = {
            "step": _si(step * (1 + sign * up_down) * first), "left": min(max(last / first, 0.0), 1.0),
            "basis": "assumed", "why": why,
        }  # fmt: skip
    spread = {"of_step": float(one["dw_min_std"]), "of_range": 0.0, "devices": float(one["dw_min_dtod"])}
    own = {"basis": "assumed", "why": "the toolkit knows no siemens: as the PCM device"}
    return {
        "schema": 1, "kind": "device", "model": "soft-bounds", "name": name,
        "title": f"{one[KIND]} of an rpu_config of aihwkit", **sides,
        "spread": {**spread, "basis": "assumed", "why": "dw_min_std and dw_min_dtod of the rpu_config"},
        "bounds": {"low": _si(LOW), "high": _si(HIGH), **own},
        "after_reset": {"mean": _si(LOW), "std": "0 S", "basis": "assumed", "why": "the lower bound"},
        "start": {"common": _si(COMMON), **own},
    }  # fmt: skip


# --- parts ------------------------------------------------------------------------------------------------------------
def _kinds(block: Block) -> set[str]:
    return {str(block.get(KIND)), *block.get("bases", ())}


def _span(one: Block) -> float:
    return float(one["w_max"] - one["w_min"])


def _scaled(side: Block) -> str:
    """Return by what inputs are divided: each vector by its largest, or none."""
    return "bounded" if side.get("noise_management") == "NONE" else "vector"


def _left(block: Block, used: set[str]) -> Iterator[str]:
    """Yield what of a block does something and was not used."""
    for name, value in block.items():
        if name not in used and name not in QUIET and value not in IDLE and not isinstance(value, Mapping | list):
            yield (
                f"{name}: {value:g}; no such effect here"
                if isinstance(value, float)
                else f"{name}: {value}; no such effect here"
            )


def _si(conductance: float) -> str:
    """Return a conductance as files have it."""
    return f"{conductance * 1e6:.6g} uS"
