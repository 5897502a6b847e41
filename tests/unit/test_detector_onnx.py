"""A hospital's own model as a detector: told by its hash, asked for one number, and never more than a place."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from greenchannel.triage.detectors.onnx_model import ModelError, models_in
from greenchannel.triage.detectors.plugin import DetectorResult, Plane, Series, Status, run
from greenchannel.triage.detectors.registry import detectors_with
from greenchannel.triage.detectors.volume import Facts, Slice

CARD = """
name = "own_brightest"
version = "3"
kind = "onnx"
use = "order"
author = "a hospital"
[title]
zh = "最亮处"
en = "brightest place"
[intended_use]
zh = "测试"
en = "tests"
[data]
zh = "无"
en = "none"
[limits]
zh = "全部"
en = "all"
[model]
file = "model.onnx"
sha256 = "{sha256}"
modality = "CT"
words = ["HEAD"]
shape = [8, 16, 16]
step_mm = [5.0, 2.0, 2.0]
window = [0.0, 100.0]
threshold = 0.5
"""


def field(number: int, value: bytes | int) -> bytes:
    """One field of a protocol buffer."""

    def varint(n: int) -> bytes:
        out = b""
        while n > 127:
            out, n = out + bytes([n & 127 | 128]), n >> 7
        return out + bytes([n])

    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name: bytes, *sizes: int) -> bytes:
    """A float tensor's name and shape."""
    shape = b"".join(field(1, field(1, size)) for size in sizes)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))


def brightest(*shape: int) -> bytes:
    """An ONNX model that answers the largest of its inputs."""
    attribute = field(5, field(1, b"keepdims") + field(3, 0) + field(20, 2))
    node = field(1, b"x") + field(2, b"y") + field(4, b"ReduceMax") + attribute
    graph = field(1, node) + field(2, b"g") + field(11, tensor(b"x", 1, 1, *(shape or (8, 16, 16))))
    graph += field(12, tensor(b"y"))
    return field(1, 8) + field(7, graph) + field(8, field(1, b"") + field(2, 13))


def folder(tmp_path: Path, model: bytes, card: str = CARD, sha256: str | None = None) -> Path:
    """A folder of one model."""
    one = tmp_path / "one"
    one.mkdir()
    (one / "model.onnx").write_bytes(model)
    (one / "card.toml").write_text(card.replace("{sha256}", sha256 or hashlib.sha256(model).hexdigest()))
    return tmp_path


def head(hu: float, **facts: object) -> Series:
    """A block of one density."""
    slices = tuple(
        Slice(
            values_hu=np.full((32, 32), hu, np.float32),
            position_mm=(0.0, 0.0, 5.0 * k),
            along_row=(1.0, 0.0, 0.0),
            along_column=(0.0, 1.0, 0.0),
            pixel_mm=(1.0, 1.0),
            thickness_mm=5.0,
        )
        for k in range(10)
    )
    given: dict[str, object] = {"modality": "CT", "body_part": "HEAD", "age_years": 50.0} | facts
    return Series(facts=Facts(**given), slices=slices)  # type: ignore[arg-type]


def asked(models: Path, series: Series) -> DetectorResult:
    return run(detectors_with(models)["own_brightest"], series, Status.ENABLED)


def test_a_model_raises_at_its_threshold_and_says_its_number(tmp_path: Path) -> None:
    """80 HU of a window from 0 to 100 is 0.8."""
    pytest.importorskip("onnxruntime")
    models = folder(tmp_path, brightest())
    said = asked(models, head(80.0))

    assert said.raises_order
    assert said.evidence[0].value == pytest.approx(0.8)
    assert asked(models, head(20.0)).raised is False
    assert asked(models, head(80.0, age_years=3.0)).reason == "child"
    assert asked(models, head(80.0, contrast="iohexol")).reason == "contrast"
    assert asked(models, head(80.0, body_part="CHEST")).reason == "no_plugin"


def test_another_file_under_the_name_of_a_model_is_not_run(tmp_path: Path) -> None:
    """The card names the file by its hash."""
    pytest.importorskip("onnxruntime")

    assert asked(folder(tmp_path, brightest(), sha256="0" * 64), head(80.0)).reason == "model_changed"


def test_a_model_that_cannot_be_run_is_not_analysed(tmp_path: Path) -> None:
    """Whatever is wrong with it."""
    pytest.importorskip("onnxruntime")

    assert asked(folder(tmp_path, b"no model"), head(80.0)).reason == "failed"


def test_without_the_runtime_nothing_is_analysed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)

    assert asked(folder(tmp_path, brightest()), head(80.0)).reason == "no_runtime"


def test_a_radiograph_goes_in_as_a_plane(tmp_path: Path) -> None:
    """A grid of two sizes; the window is told in percentiles."""
    pytest.importorskip("onnxruntime")
    card = CARD.replace('modality = "CT"', 'modality = "DX"').replace(
        "shape = [8, 16, 16]", "shape = [16, 16]"
    )
    card = card.replace("step_mm = [5.0, 2.0, 2.0]", 'view = "PA"')
    models = folder(tmp_path, brightest(16, 16), card)
    plane = Plane(values=np.arange(4096, dtype=np.float32).reshape(64, 64), pixel_mm=None, inverted=False)
    said = asked(models, Series(facts=Facts(modality="DX", body_part="HEAD", view="PA"), planes=(plane,)))
    turned = asked(models, Series(facts=Facts(modality="DX", body_part="HEAD", view="AP"), planes=(plane,)))

    assert said.evidence[0].value == pytest.approx(1.0)
    assert turned.reason == "other_view"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "own_brightest"', 'name = "head_blood"'),
        ("shape = [8, 16, 16]", "shape = [8, 16]"),
        ('file = "model.onnx"', 'file = "../model.onnx"'),
        ("window = [0.0, 100.0]", "window = [100.0, 0.0]"),
        ("threshold = 0.5", "thresh = 0.5"),
        ('kind = "onnx"', 'kind = "built_in"'),
    ],
)
def test_a_card_that_does_not_fit_is_refused_at_the_start(tmp_path: Path, old: str, new: str) -> None:
    """Before any study comes, with what was expected."""
    assert old in CARD
    with pytest.raises(ModelError, match="expected"):
        detectors_with(folder(tmp_path, brightest(), CARD.replace(old, new)))


def test_without_a_folder_there_are_no_models(tmp_path: Path) -> None:
    """A folder that is named must be there."""
    assert models_in(None) == {}
    with pytest.raises(ModelError, match="expected a folder"):
        models_in(tmp_path / "nowhere")
