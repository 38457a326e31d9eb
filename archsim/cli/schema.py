"""`archsim schema`: JSON Schemas of archsim's files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def schema_command(
    out: Annotated[Path, typer.Option(help="Folder to write them to.")] = Path("schemas"),
) -> None:
    """Write JSON Schemas of technology, architecture, workload, device, case and sweep files.

    An editor with a YAML language server completes and checks a file whose first line says which schema it follows:

    # yaml-language-server: $schema=schemas/technology.schema.json

    (the path as seen from the file). architecture and device follow the `chip` or `model` that the file names.
    """
    from archsim.base.files import check_folder, display
    from archsim.studies.schemas import write_schemas

    check_folder(out)
    for path in write_schemas(out):
        typer.echo(f"written: {display(path)}")
