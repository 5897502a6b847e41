"""`greenchannel simulate ecg`: a synthetic ECG as a file."""

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(add_completion=False)
simulate = typer.Typer(help="Synthetic devices. 模拟设备")
app.add_typer(simulate, name="simulate", no_args_is_help=True)


@simulate.callback()
def _group() -> None:
    """Synthetic devices. 模拟设备"""


@simulate.command()
def ecg(
    out: Annotated[Path, typer.Argument(help="The file to write: .dcm or .zip (a WFDB record)")],
    scenario: Annotated[
        str, typer.Option(help="What the heart does; a wrong name lists them all")
    ] = "baseline_sinus",
    leads: Annotated[Literal["12", "18"], typer.Option()] = "12",
    seed: Annotated[int, typer.Option(min=0)] = 1,
    age: Annotated[float | None, typer.Option(min=0, max=130)] = None,
    sex: Annotated[Literal["male", "female"] | None, typer.Option()] = None,
) -> None:
    """Write ten seconds of a synthetic heart as a clinic's machine would leave it."""
    from greenchannel.county.devices import LSB_MV, simulated
    from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
    from greenchannel.ingest.wfdb_write import write_wfdb_zip
    from greenchannel.signal.synthesis import SCENARIOS

    if out.suffix.lower() not in (".dcm", ".zip"):
        raise typer.BadParameter(f"expected a name ending in .dcm or .zip, got {out.name}")
    if scenario not in SCENARIOS:
        raise typer.BadParameter(f"expected a scenario of {' '.join(SCENARIOS)}, got {scenario}")
    recording = simulated(scenario, seed=seed, leads=int(leads))
    if out.suffix.lower() == ".dcm":
        data = write_dicom_ecg(recording, acquired=None, age_years=age, sex=sex)
    else:
        data = write_wfdb_zip(recording, lsb_mv=LSB_MV, age_years=age, sex=sex, acquired=None)
    out.write_bytes(data)
