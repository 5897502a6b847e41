"""One simulated duty day: everything that is in it, and how the parts find each other."""

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from greenchannel.events import Envelope
from greenchannel.store.errors import CommitFailed
from greenchannel.store.outbox_rows import OutboxRow
from tests.simulation.agenda import SECOND, Agenda, History
from tests.simulation.boards import Boards
from tests.simulation.clinics import Clinics
from tests.simulation.faults import Faults
from tests.simulation.house import House, MemoryContacts
from tests.simulation.memory_store import Command, Store
from tests.simulation.network import Network
from tests.simulation.process import Done, Process
from tests.simulation.promises import Promises
from tests.simulation.staff import Staff
from tests.simulation.weather import Able, Lock, Weather


class Unanswered(Exception):
    """A request to the service that nobody answered."""


class World:
    """The parts of a day. All chance comes from the dice of its agenda."""

    def __init__(self, seed: int, *, keep_history: bool = False) -> None:
        self.seed = seed
        self.agenda = Agenda(seed)
        self.dice = self.agenda.dice
        self.history = History(self.agenda, keep=keep_history)
        self.faults: Counter[str] = Counter()
        self.store = Store()
        self.store.now_ms = lambda: self.agenda.now_ms
        self.weather = Weather(self.agenda)
        self.lock = Lock()
        self.able = Able(self)
        self.house = House(self.store, self.dice)
        self.contacts = MemoryContacts(self.house, self.store)
        self.promises = Promises(self)
        self.network = Network(self)
        self.boards = Boards(self)
        self.staff = Staff(self)
        self.clinics = Clinics(self)
        self.misfortune = Faults(self)
        self.service = Process(self, "service", serving=True)
        self.processes = [self.service]
        if self.dice.chance(0.5):
            self.processes.append(Process(self, "engine", serving=False))
        self._asked: dict[int, Done] = {}
        self._numbers = 0
        self._encode = msgspec.json.Encoder().encode

    def new_id(self, kind: str) -> str:
        """As `service.ids.new_id`, by the dice."""
        return f"{kind}_{self.dice.getrandbits(48):012x}"

    def fault(self, kind: str) -> None:
        """Something goes wrong."""
        self.faults[kind] += 1
        self.history.note(f"fault: {kind}")

    # ------------------------------------------------------------ the log goes on

    def committed(self, process: Process, events: Sequence[Envelope], asked: Sequence[OutboxRow]) -> None:
        """A commit has been made, whether its process lives to hear of it or not."""
        for envelope in events:
            self.history.note(self._encode(envelope).decode())
        for row in asked:
            self.history.note(f"asked {row.key}")
        if events or asked:
            self.promises.committed(events, asked)
        for other in self.processes:
            if events and other is not process:
                other.follow_soon()
            if self.store.stirred:
                other.arm()
        self.store.stirred = False

    # ------------------------------------------------------------ asking the service

    def ask(self, command: Command, done: Done) -> None:
        """A request over the network; `done` gets its answer, or `Unanswered`."""
        self._numbers += 1
        self._asked[self._numbers] = done
        self.agenda.after(self.dice.between(5, 80), self._arrives, self._numbers, command)

    def _arrives(self, number: int, command: Command) -> None:
        if not self.service.up:
            self._answer(number, None, Unanswered())
        else:
            self.service.submit(command, functools.partial(self._answers, number))

    def _answers(self, number: int, result: Any, error: BaseException | None) -> None:
        if self.dice.chance(0.01):
            result, error = None, Unanswered()  # the connection broke just then
        self.agenda.after(self.dice.between(5, 80), self._answer, number, result, error)

    def _answer(self, number: int, result: Any, error: BaseException | None) -> None:
        done = self._asked.pop(number, None)
        if done is not None:
            done(result, error)

    def insist(self, command: Command, done: Done, *, times: int, pause: Callable[[], int]) -> None:
        """Ask again and again until there is an answer; the last word goes to `done`."""

        def answered(result: Any, error: BaseException | None) -> None:
            if not failed(error) or times <= 1:
                done(result, error)
            else:
                again = functools.partial(self.insist, command, done, times=times - 1, pause=pause)
                self.agenda.after(pause(), again)

        self.ask(command, answered)

    def service_is_gone(self) -> None:
        """All connections to it are cut."""
        asked, self._asked = self._asked, {}
        for done in asked.values():
            self.agenda.after(SECOND, done, None, Unanswered())
        self.boards.cut()

    def service_is_up(self) -> None:
        """It listens again."""
        self.boards.come_back()
        self.clinics.read_what_was_left()


def failed(error: BaseException | None) -> bool:
    """Whether nothing is known of a request: the service did not answer, or could not write."""
    return isinstance(error, Unanswered | CommitFailed)
