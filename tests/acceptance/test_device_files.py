"""Every sample of a device is read, or refused for the right reason; and through every export it stays what it is."""

from pathlib import Path
from typing import Final

import numpy as np
import pytest

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.reader import read_ecg, read_path
from greenchannel.ingest.writers import WRITERS, fitting_step, step_of

pytestmark = pytest.mark.data

REFUSED: Final = {
    "edf/test_edfann.edf": ("unsupported", "annotations"),
    "philips-xml/sierra_invalid-doc-type.xml": ("unsupported", "PhilipsECG"),
}
SAMPLES: Final = 19
_NO_RECORDING: Final = {".md", ".txt", ".csv"}


def _files(data_dir: Path) -> dict[str, Path]:
    folder = data_dir / "ecg-formats"
    found = (
        path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix not in _NO_RECORDING
    )
    return {path.relative_to(folder).as_posix(): path for path in found}


def test_every_sample_is_read_or_refused_for_its_reason(data_dir: Path) -> None:
    """Two of nineteen are refused: one holds annotations alone, one is of a document type that is no ECG."""
    files = _files(data_dir)
    assert len(files) == SAMPLES
    refused = {}
    for name, path in files.items():
        try:
            parsed = read_path(path)
        except IngestError as error:
            refused[name] = error
            continue
        assert parsed.recording.samples_mv.size and parsed.recording.rate_hz > 0, name
    assert refused.keys() == REFUSED.keys()
    for name, (code, word) in REFUSED.items():
        assert refused[name].code == code
        assert word in str(refused[name]), str(refused[name])


def _again(parsed: ParsedEcg, name: str) -> ParsedEcg | None:
    """Through one format and back; None where it says that it cannot hold this ECG."""
    step_mv = step_of(parsed.recording)
    try:
        return read_ecg([(None, WRITERS[name].write(parsed, step_mv or fitting_step(parsed.recording)))])
    except ValueError:
        return None


@pytest.mark.parametrize("name", list(WRITERS))
def test_every_sample_stays_what_it_is_through_an_export(data_dir: Path, name: str) -> None:
    """Leads, rate, age and sex the same; samples exact where they are whole steps, else within half a step."""
    through = 0
    for source, path in _files(data_dir).items():
        if source in REFUSED:
            continue
        before = read_path(path)
        after = _again(before, name)
        if after is None:
            continue
        through += 1
        assert after.recording.leads == before.recording.leads, source
        assert after.recording.rate_hz == before.recording.rate_hz, source
        assert after.sex == before.sex, source
        assert (after.age_years is None) == (before.age_years is None), source
        samples_mv = before.recording.samples_mv
        length = after.recording.samples_mv.shape[1]
        assert np.isnan(samples_mv[:, length:]).all(), source  # some formats end where the samples end
        step_mv = step_of(before.recording)
        if name == "scp" and step_mv is not None and (step_mv * 1e6) % 1 > 1e-6:
            step_mv = None  # SCP-ECG counts whole nanovolts
        if name == "csv" or step_mv is not None:
            np.testing.assert_array_equal(after.recording.samples_mv, samples_mv[:, :length], source)
        else:
            most_mv = fitting_step(before.recording) / 2 * 1.001
            np.testing.assert_allclose(
                after.recording.samples_mv, samples_mv[:, :length], rtol=0, atol=most_mv, err_msg=source
            )
    assert through >= SAMPLES - len(REFUSED) - 2
