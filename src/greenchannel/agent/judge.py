"""How urgent an ECG looks, by our own reading, in a process of its own.

It is bounded in time, and its death is nobody else's.

What cannot be read here, or takes too long, is unknown and is sent all the same.
"""

import contextlib
import logging
import queue
import struct
import subprocess
import sys
import threading
from typing import IO, Final

import msgspec

from greenchannel.ingest.errors import IngestError

logger = logging.getLogger(__name__)

JUDGED_WITHIN_S: Final = 20.0  # an ECG of ten seconds takes a fraction of one, on a Raspberry Pi too  [E]
STARTED_WITHIN_S: Final = 90.0  # the libraries come from a slow disk  [E]
_LENGTH: Final = struct.Struct("<I")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the judge is told beside the bytes."""

    fields: dict[str, str] = {}


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What our own reading says; None for what is not known."""

    tier: str | None = None
    patient_ref: str | None = None  # the number in the file
    code: str | None = None  # why there is no tier
    note: str | None = None


class Judge:
    """The process, started when it is first needed and again after each death."""

    def __init__(
        self,
        *,
        within_s: float = JUDGED_WITHIN_S,
        command: tuple[str, ...] = (sys.executable, "-m", "greenchannel.agent.judge"),
    ) -> None:
        self._within_s = within_s
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.Queue[bytes | None] = queue.Queue()

    def judge(self, data: bytes, fields: dict[str, str]) -> Judgement:
        """One ECG; never raises for what is wrong with it."""
        try:
            process = self._started()
            assert process.stdin is not None
            _write(process.stdin, msgspec.json.encode(Asked(fields=fields)))
            _write(process.stdin, data)
            return msgspec.json.decode(self._answer(self._within_s), type=Judgement)
        except (OSError, TimeoutError, EOFError, msgspec.MsgspecError) as error:
            self.close()
            slow = isinstance(error, TimeoutError)
            return Judgement(
                code="too_slow" if slow else "judge_died",
                note=f"本机 {self._within_s:g} 秒内未读完 not read here within {self._within_s:g} s"
                if slow
                else "本机未能读取 reading it here failed",
            )

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            self._process = None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._answers = queue.Queue()
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            threading.Thread(
                target=_pump, args=(self._process.stdout, self._answers), name="judge", daemon=True
            ).start()
            self._answer(STARTED_WITHIN_S)
        return self._process

    def _answer(self, within_s: float) -> bytes:
        try:
            answer = self._answers.get(timeout=within_s)
        except queue.Empty:
            raise TimeoutError from None
        if answer is None:
            raise EOFError
        return answer


def _pump(pipe: IO[bytes], answers: "queue.Queue[bytes | None]") -> None:
    """Answers from the pipe to the queue; None at the end. A pipe cannot be waited for with a bound on every system."""
    with contextlib.suppress(OSError, ValueError, EOFError):
        while True:
            answers.put(_read(pipe))
    answers.put(None)


def _write(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def _read(pipe: IO[bytes]) -> bytes:
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return data


# ---------------------------------------------------------------- within the process


def judged(data: bytes, fields: dict[str, str]) -> Judgement:
    """Read one ECG as the server will, with what is known of the patient."""
    from greenchannel.ingest.fields import parse_fields
    from greenchannel.ingest.reader import read_ecg
    from greenchannel.triage.finding import Patient
    from greenchannel.triage.interpretation import interpret

    try:
        parsed = read_ecg([(None, data)])
    except IngestError as error:
        return Judgement(code=error.code, note=f"{error.zh or ''} {error.message}".strip())
    patient_ref = parsed.identifiers.get("patient_id")
    try:
        said = parse_fields(fields)
        patient = Patient(
            age_years=parsed.age_years if said.age_years is None else said.age_years,
            sex=said.sex or parsed.sex,
            chest_pain=said.chest_pain,
        )
        tier = interpret(parsed.recording, patient).reading.tier
    except Exception as error:  # a fault of ours must not keep an ECG from its doctor
        logger.exception("a fault of the agent's own reading")
        return Judgement(
            patient_ref=patient_ref, code="judge_failed", note=f"本机未能读取 {type(error).__name__}"
        )
    return Judgement(tier=str(tier), patient_ref=patient_ref)


def _serve() -> None:
    """Judge what comes through standard input, until it ends."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever prints must not stand among the answers
    import greenchannel.ingest.reader
    import greenchannel.triage.interpretation  # noqa: F401 - said to be ready when both are loaded

    with contextlib.suppress(
        EOFError, BrokenPipeError, KeyboardInterrupt
    ):  # the agent may have died meanwhile
        _write(answers, b"ready")
        while True:
            asked = msgspec.json.decode(_read(requests), type=Asked)
            _write(answers, msgspec.json.encode(judged(_read(requests), asked.fields)))


if __name__ == "__main__":
    _serve()
