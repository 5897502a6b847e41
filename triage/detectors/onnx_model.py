"""A model of the hospital's own as a detector: a folder with a card and an ONNX file, for onnxruntime where it is.

The card says what the model is for, what goes in and what its answer means; the model is told by its hash, so that
another file under the same name is not run. What the model may say is what every detector may: read this sooner.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from greenchannel.triage.detectors.plugin import Card, Detector, Evidence, Plane, Series
from greenchannel.triage.detectors.volume import (
    Facts,
    NotAnalysed,
    Volume,
    require_adult_plain,
    stacked,
    upright,
)

CARD: Final = "card.toml"
MOST_MODEL_BYTES: Final = 2_000_000_000
MOST_VALUES: Final = 512**3


class ModelError(ValueError):
    """A folder of a model is not as it should be; says what was expected and what came."""


class Grid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes in, and what the answer means."""

    file: str
    sha256: str
    modality: str
    words: tuple[str, ...]  # one of them stands in body part or descriptions
    shape: tuple[int, ...]  # of the input behind batch and channel: slices, rows, columns; or rows, columns
    window: tuple[float, float]  # HU, or percentiles of a radiograph, that become 0 and 1
    threshold: float  # of the answer, one number: at it and above the study is read sooner
    step_mm: tuple[float, float, float] | None = (
        None  # of slices, rows, columns; about the middle of the volume
    )
    view: str | None = None  # of a radiograph: PA, AP


class ModelCard(Card, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The card of a model, with its grid."""

    kind: Literal["onnx"]
    model: Grid


def models_in(folder: Path | None) -> dict[str, Detector]:
    """The detectors of a folder that holds one folder for each model; without a folder there are none.

    Raises
    ------
    ModelError
        Where a card or a model is not as it should be. The models themselves are opened when they first look.
    """
    if folder is None:
        return {}
    if not folder.is_dir():
        raise ModelError(f"expected a folder of models at {folder}, got none")
    found: dict[str, Detector] = {}
    for card_file in sorted(folder.glob(f"*/{CARD}")):
        card = _card(card_file)
        if card.name in found:
            raise ModelError(f"expected a name of its own in {card_file}, got {card.name!r} again")
        found[card.name] = _detector(card, card_file.parent / card.model.file)
    return found


def _card(file: Path) -> ModelCard:
    try:
        card = msgspec.toml.decode(file.read_bytes(), type=ModelCard)
    except (OSError, msgspec.DecodeError) as error:
        raise ModelError(f"expected the card of a model at {file}, got: {error}") from error
    grid = card.model
    if len(grid.shape) not in (2, 3) or (len(grid.shape) == 3) != (grid.step_mm is not None):
        raise ModelError(f"expected shape of 3 with step_mm, or of 2 without, in {file}, got {grid.shape}")
    if min(grid.shape) < 1 or int(np.prod(grid.shape)) > MOST_VALUES or grid.window[0] >= grid.window[1]:
        raise ModelError(f"expected a shape and a rising window in {file}, got {grid.shape}, {grid.window}")
    model = file.parent / grid.file
    if model.parent != file.parent or not model.is_file() or model.stat().st_size > MOST_MODEL_BYTES:
        raise ModelError(f"expected a model beside its card {file}, got {grid.file!r}")
    return card


def _detector(card: ModelCard, model: Path) -> Detector:
    def meant_for(facts: Facts) -> bool:
        said = " ".join([facts.body_part or "", *facts.texts]).upper()
        return (
            facts.modality == card.model.modality
            and "LOCALIZER" not in facts.image_type
            and any(word.upper() in said for word in card.model.words)
        )

    def look(series: Series) -> tuple[Evidence, ...]:
        require_adult_plain(series.facts)
        answer = _answer(model, card.model, _input(series, card.model))
        if answer < card.model.threshold:
            return ()
        return (Evidence(quantity="model_answer", value=round(answer, 4), threshold=card.model.threshold),)

    return Detector(card=card, meant_for=meant_for, look=look)


def _input(series: Series, grid: Grid) -> NDArray[np.float32]:
    if grid.step_mm is not None:
        values, (low, high) = _resampled(upright(stacked(series.slices)), grid), grid.window
    else:
        if grid.view is not None and series.facts.view != grid.view:
            raise NotAnalysed("other_view", series.facts.view)
        if len(series.planes) != 1:
            raise NotAnalysed("not_radiograph", f"{len(series.planes)} images")
        values = _resized(series.planes[0], grid)
        low, high = (float(one) for one in np.percentile(values, grid.window))
    scaled = np.clip((values - low) / max(high - low, 1e-6), 0.0, 1.0)
    return np.asarray(scaled, np.float32)[None, None]


def _resampled(volume: Volume, grid: Grid) -> NDArray[np.float32]:
    """The volume on the model's grid about its middle; outside there is air. Steps of two widths are put right."""
    assert grid.step_mm is not None
    size, steps = np.array(grid.shape), np.array(grid.step_mm)
    offsets = [(np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(size, steps, strict=True)]
    middle = (volume.at_mm[0] + volume.at_mm[-1]) / 2
    at = np.interp(
        middle + offsets[0], volume.at_mm, np.arange(len(volume.at_mm)), left=-1, right=len(volume.at_mm)
    )
    rows = (volume.hu.shape[1] - 1) / 2 + offsets[1] / volume.pixel_mm[0]
    columns = (volume.hu.shape[2] - 1) / 2 + offsets[2] / volume.pixel_mm[1]
    places = np.stack(np.meshgrid(at, rows, columns, indexing="ij"))
    made: NDArray[np.float32] = ndimage.map_coordinates(
        volume.hu, places, order=1, mode="constant", cval=-1000.0, output=np.float32
    )
    return made


def _resized(plane: Plane, grid: Grid) -> NDArray[np.float32]:
    values = -plane.values if plane.inverted else plane.values
    rows, columns = (
        np.linspace(0, n - 1, wanted) for n, wanted in zip(values.shape, grid.shape, strict=True)
    )
    places = np.stack(np.meshgrid(rows, columns, indexing="ij"))
    made: NDArray[np.float32] = ndimage.map_coordinates(values, places, order=1, output=np.float32)
    return made


def _answer(model: Path, grid: Grid, values: NDArray[np.float32]) -> float:
    try:
        import onnxruntime
    except ImportError:
        raise NotAnalysed("no_runtime") from None
    data = model.read_bytes()
    if hashlib.sha256(data).hexdigest() != grid.sha256.lower():
        raise NotAnalysed("model_changed")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # ECGs come first
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    asked: Mapping[str, Any] = {session.get_inputs()[0].name: values}
    answer = np.asarray(session.run(None, asked)[0], float).ravel()
    if answer.size != 1 or not np.isfinite(answer[0]):
        raise NotAnalysed("model_answer", f"{answer.size} numbers")
    return float(answer[0])
