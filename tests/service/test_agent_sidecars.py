"""What stands beside an ECG reaches it, whichever of the two comes first, and is never sent as an ECG itself."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from greenchannel.agent.agent import now
from greenchannel.agent.item import Item
from greenchannel.agent.sidecar import sidecar_fields
from greenchannel.agent.spool import Spool
from greenchannel.agent.watcher import Watcher
from greenchannel.ingest.agent_watch import ALONE_S, SETTLE_S


class Folder:
    """A watched folder, a clock that only goes forward, and a spool."""

    def __init__(self, folder: Path, *, moves: bool) -> None:
        self.watch, self.moves = folder / "watch", moves
        self.watch.mkdir()
        self.spool = Spool(folder / "spool", now)
        self.now_s = 0.0
        self.watcher = Watcher(
            self.spool, self.watch, done=folder / "done" if moves else None, steady_s=lambda: self.now_s
        )

    def leave(self, name: str, content: bytes | dict[str, Any]) -> None:
        """The machine leaves a file."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        (self.watch / name).write_bytes(data)

    def look(self, for_s: float = SETTLE_S) -> list[Item]:
        """Look now, and once more after so many seconds."""
        self.watcher.look()
        self.now_s += for_s
        self.watcher.look()
        return self.spool.items()

    def left(self) -> list[str]:
        """What lies in the watched folder."""
        return sorted(path.name for path in self.watch.iterdir())


@pytest.fixture(params=[False, True], ids=["stays", "moves"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Folder]:
    """Files stay, or are moved away once they are taken."""
    one = Folder(tmp_path, moves=request.param)
    yield one
    one.spool.close()


SAID = {"patient_ref": "p1", "chest_pain": True}
FIELDS = {"patient_ref": "p1", "chest_pain": "yes"}


@pytest.mark.parametrize("name", ["a.json", "a.dcm.json"])
def test_a_sidecar_that_comes_after_its_ecg_amends_it(folder: Folder, name: str) -> None:
    """The ECG is the same row, once amended, and stays one where its file is left again with its sidecar."""
    folder.leave("a.dcm", b"an ECG")
    (before,) = folder.look()
    folder.leave(name, SAID)
    (after,) = folder.look(ALONE_S)

    assert before.fields == {} and after.number == before.number
    assert after.fields == FIELDS and after.amended and folder.watcher.trouble is None
    folder.spool.change(after.number, amended=False)
    folder.leave("a.dcm", b"an ECG")
    folder.leave(name, SAID)
    (again,) = folder.look()
    assert not again.amended and again.fields == FIELDS


def test_an_ecg_that_is_left_again_with_its_sidecar_is_the_same_ecg(folder: Folder) -> None:
    """Not a second one, which the server would take for another patient's."""
    folder.leave("a.dcm", b"an ECG")
    folder.look()
    folder.leave("a.json", SAID)
    folder.leave("a.dcm", b"an ECG")
    (item,) = folder.look()

    assert item.fields == FIELDS and item.amended


def test_what_comes_after_the_ecg_was_sent_does_not_pose_as_sent(folder: Folder) -> None:
    """The fields of the row are those that the server has; that there is more is noted."""
    folder.leave("a.dcm", b"an ECG")
    (item,) = folder.look()
    folder.spool.change(item.number, stage="taken", sent_at=now())
    folder.leave("a.json", SAID)
    (late,) = folder.look(ALONE_S)

    assert late.amended and late.fields == {}


def test_a_late_sidecar_that_cannot_be_read_is_told(folder: Folder) -> None:
    """By its name, beside the ECG."""
    folder.leave("a.dcm", b"an ECG")
    folder.look()
    folder.leave("a.json", b"{")
    (item,) = folder.look(ALONE_S)

    assert (
        item.note is not None
        and "a.json 无法读取" in item.note
        and "cannot be read" in item.note
        and not item.amended
    )


@pytest.mark.parametrize("late", [False, True])
def test_two_ecgs_of_one_name_share_their_sidecar(folder: Folder, late: bool) -> None:
    """A waveform and its print: the first does not take it away from the other, and the last takes it along."""
    if not late:
        folder.leave("a.json", SAID)
    folder.leave("a.dcm", b"an ECG")
    folder.leave("a.pdf", b"a print")
    items = folder.look()
    if late:
        folder.leave("a.json", SAID)
        items = folder.look(ALONE_S)

    assert [item.fields for item in items] == [FIELDS, FIELDS]
    assert folder.left() == ([] if folder.moves else ["a.dcm", "a.json", "a.pdf"])


def test_a_sidecar_waits_for_an_ecg_that_is_still_being_written(folder: Folder) -> None:
    """Though the other has been taken."""
    folder.leave("a.json", SAID)
    folder.leave("a.dcm", b"an ECG")
    folder.watcher.look()
    folder.now_s += SETTLE_S
    folder.leave("a.pdf", b"a print")
    items = folder.look()

    assert [item.fields for item in items] == [FIELDS, FIELDS]
    assert folder.left() == ([] if folder.moves else ["a.dcm", "a.json", "a.pdf"])


def test_a_sidecar_before_its_ecg_waits_and_is_never_an_ecg(folder: Folder) -> None:
    """However long; it is told meanwhile, and goes with its ECG in the end. A FHIR resource is an ECG at once."""
    folder.leave("a.json", SAID)
    folder.leave("b.json", {"resourceType": "Observation"})
    assert [item.name for item in folder.look()] == ["b.json"] and folder.watcher.trouble is None
    assert len(folder.look(ALONE_S)) == 1
    assert folder.watcher.trouble is not None and folder.watcher.trouble.endswith("not sent: a.json")
    folder.leave("a.dcm", b"an ECG")
    _, item = folder.look()

    assert (item.name, item.fields) == ("a.dcm", FIELDS) and folder.watcher.trouble is None


def test_a_sidecar_never_amends_an_old_ecg_of_the_same_name(folder: Folder) -> None:
    """Machines give their names anew: without its file, after ten minutes, it is rather another patient's."""
    folder.leave("a.dcm", b"an ECG")
    (item,) = folder.look()
    folder.spool.change(item.number, found_at=now() - timedelta(minutes=11))
    (folder.watch / "a.dcm").unlink(missing_ok=True)
    folder.leave("a.json", SAID)
    (item,) = folder.look(ALONE_S)

    assert item.fields == {} and not item.amended
    assert folder.watcher.trouble is not None and "a.json" in folder.watcher.trouble


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_sidecar_is_read_as_windows_wrote_it(encoding: str) -> None:
    """A name in Chinese, in every encoding that programs there write."""
    content = '{"patient_ref": "张家村47", "age": "61"}'.encode(encoding)

    fields, odd = sidecar_fields(content)

    assert fields["patient_ref"] == "张家村47"
    assert (odd is None) == (encoding != "gb18030"), "what is guessed is told"


def test_a_sidecar_of_the_ecg_before_is_not_given_to_the_next_patient(folder: Folder) -> None:
    """The machine writes every ECG over the last one, and its sidecar later: nobody's is better than the wrong one."""
    folder.leave("last.dcm", b"the first patient's")
    folder.leave("last.json", SAID)
    folder.look()
    folder.leave("last.dcm", b"the second patient's")
    first, second = folder.look()

    assert first.fields == FIELDS and second.fields == {}
    if folder.watcher._done is None:  # else the old sidecar was moved away with its ECG
        assert second.note is not None and "belongs to the ECG before it" in second.note
    folder.leave("last.json", b'{"patient_ref": "B-2"}')
    first, second = folder.look(ALONE_S)
    assert first.fields == FIELDS and second.fields == {"patient_ref": "B-2"}


def test_a_sidecar_is_found_whatever_the_case_of_its_name(folder: Folder) -> None:
    """Sticks and machines of old systems write in capitals."""
    folder.leave("ECG1.DCM", b"an ECG")
    folder.leave("ECG1.JSON", SAID)
    (item,) = folder.look(ALONE_S)

    assert item.fields == FIELDS and folder.watcher.trouble is None


def test_what_comes_to_be_known_of_a_refused_ecg_has_it_tried_once_more(folder: Folder) -> None:
    """A refusal "of another patient" is mended by exactly that; and what was put aside comes back."""
    folder.leave("a.dcm", b"an ECG")
    (item,) = folder.look()
    folder.spool.change(item.number, stage="refused", put_aside=True, failures=3)
    folder.leave("a.json", SAID)
    (again,) = folder.look(ALONE_S)

    assert (again.stage, again.put_aside, again.failures) == ("waiting", False, 0) and again.fields == FIELDS


def test_a_sidecars_words_are_those_that_a_person_reads() -> None:
    """Full-width letters, spaces around and marks that nobody sees are none of a number; an unknown field is told."""
    content = '{"patient_ref": "　ＺＹ-0043\u200b ", "Patient_Ref": "x", "age": 61}'.encode()
    fields, odd = sidecar_fields(content)

    assert fields == {"patient_ref": "ZY-0043", "age": "61"}
    assert odd is not None and odd.startswith("Patient_Ref 不认识")
