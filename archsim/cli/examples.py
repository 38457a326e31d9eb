"""One complete example for the help of every command, and the summaries of the list of commands."""

from __future__ import annotations

import typer

EXAMPLES = {
    "reproduce": "archsim reproduce --preset quick",
    "run": "archsim run mlp-mnist --steps 5000 --arch mixed-precision --set outer_product.error_bits=8",
    "resume": "archsim resume reports/mlp-mnist-seed1",
    "report": "archsim report reports/reproduce --html",
    "estimate": "archsim estimate resnet50 --batch 1",
    "validate": "archsim validate isaac2016 marinella2018",
    "explain": "archsim explain reports/reproduce --no-reruns",
    "costs": "archsim costs mlp-mnist lenet-mnist --plan",
    "sweep": "archsim sweep mlp-mnist --set tile.adc.bits=4,6,8 --figure adc.conversion=0.5pJ..5pJ:log:5 --steps 2000",
    "search": "archsim search mlp-mnist --set tile.rows=64,128,256 --set tile.adc.count=1..32 --minimise time "
    "--minimise area --trials 30",
    "rules": "archsim rules mlp-mnist --device pcm-nandakumar2018 --device reram-array --dry-run",
    "ablate": "archsim ablate mlp-mnist --steps 2000 --seeds 2 --no-bits",
    "hold": "archsim hold reports/reproduce --for 30d",
    "endurance": "archsim endurance reports/reproduce",
    "trace": "archsim trace reports/reproduce --steps 3",
    "compare": "archsim compare reports/reproduce --tech bottom-up-14nm --tech digital-7nm",
    "schema": "archsim schema --out schemas",
    "verify": "archsim verify reports/reproduce",
    "tech list": "archsim tech list",
    "tech show": "archsim tech show bottom-up-14nm",
    "tech rules": "archsim tech rules bottom-up-14nm --run reports/reproduce",
    "tech lint": "archsim tech lint my-technology.yaml",
    "tech calibrate": "archsim tech calibrate reports/reproduce --out my-technology.yaml",
    "tech scale": "archsim tech scale bottom-up-14nm --node 7nm --out my-7nm.yaml",
    "tech diff": "archsim tech diff bottom-up-14nm reram-14nm",
    "tech new": "archsim tech new --extends bottom-up-14nm --out mine.yaml",
    "tech add-adc": "archsim tech add-adc bottom-up-14nm --survey survey.csv --enob 7..9 --out my-adc.yaml",
    "tech import": "archsim tech import components.csv --source murmann2025 --out imported.yaml",
    "workloads list": "archsim workloads list",
    "workloads show": "archsim workloads show mlp-mnist",
    "workloads import": "archsim workloads import resnet18.onnx --out resnet18-mine.yaml",
    "workloads new": "archsim workloads new --out my-network.yaml",
    "archs list": "archsim archs list",
    "archs show": "archsim archs show mixed-precision",
    "archs new": "archsim archs new --from mixed-precision --out my-chip.yaml",
    "archs lint": "archsim archs lint my-chip.yaml --tech bottom-up-14nm",
    "archs diff": "archsim archs diff mixed-precision in-array",
    "archs from-aihwkit": "archsim archs from-aihwkit my_config.py:RPU_CONFIG --out my-chip.yaml",
    "data list": "archsim data list",
    "data fetch": "archsim data fetch mnist",
    "device list": "archsim device list",
    "device show": "archsim device show pcm-nandakumar2018",
    "device fit": "archsim device fit measured.csv --out my-device.yaml",
}
"""Command, its group before it -> a whole command line."""
SHORT = 72
"""Letters of a summary in the list of commands."""


def illustrate(app: typer.Typer, group: str = "") -> None:
    """Give every command of an app, and of its groups, its example and its whole first sentence as a summary."""
    for command in app.registered_commands:
        text = (command.callback.__doc__ or "") if command.callback else ""
        first = text.strip().split("\n\n", 1)[0].replace("\n", " ")
        head = first.split(": ", 1)[0].split("; ", 1)[0].split(", from ", 1)[0]
        command.short_help = command.short_help or (first if len(first) <= SHORT else head).rstrip(".")
        if example := EXAMPLES.get(f"{group} {command.name}".strip()):
            command.epilog = f"\b\nExample:\n  {example}"
    for each in app.registered_groups:
        if each.typer_instance is not None:
            each.short_help = str(each.typer_instance.info.help).split("\n\n", 1)[0].rstrip(".")
            illustrate(each.typer_instance, str(each.name))
