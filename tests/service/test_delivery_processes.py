"""More than one process at the outbox, and one that is asked to stop."""

import asyncio
from collections import Counter
from pathlib import Path

from greenchannel.events import AlertSent
from tests.delivery_world import SETTINGS, Ward, play, ward
from tests.desk_world import World
from tests.receiver import WAIT_S, receiver

ROWS = 300


def test_two_processes_deliver_each_message_once(tmp_path: Path) -> None:
    """Both look at the same rows at the same time, on one database: each message is sent by one of them."""

    async def story(first: Ward) -> None:
        async with ward(first.world, lanes=True) as second:
            with receiver() as gateway:
                first.webhook("chen", "sms", gateway.base)
                case_id, alert_id = await first.alert()
                rings = [
                    AlertSent(alert_id=alert_id, person="chen", channel="sms", step=step)
                    for step in range(ROWS)
                ]
                await first.write(case_id, *rings)
                sides = (first.desk.delivery, second.desk.delivery)
                await asyncio.to_thread(gateway.wait_for, ROWS)
                async with asyncio.timeout(WAIT_S):
                    while sum(side.outcomes["sms", "sent"] for side in sides) < ROWS:
                        await asyncio.sleep(0.02)
                times = Counter(gateway.ids)
            sent = [side.outcomes["sms", "sent"] for side in sides]

        print(f"{len(times)} messages, each {set(times.values())} times; by the two sides: {sent}")
        assert len(times) == ROWS and set(times.values()) == {1}
        assert sum(sent) == ROWS and all(sent), "both had a hand in it"
        assert {row.state for row in first.rows().values()} == {"sent"}

    play(tmp_path, story, lanes=True)


def test_a_service_that_stops_leaves_what_it_was_sending_to_the_next(tmp_path: Path) -> None:
    """No lease has to run out first, and the next life sends it under the same key."""
    world = World(folder=tmp_path, settings=SETTINGS)

    async def lives() -> None:
        with receiver() as gateway:
            gateway.hold = lambda request: len(gateway.requests) == 1
            async with ward(world, lanes=True) as one:
                one.webhook("chen", "sms", gateway.base)
                case_id, alert_id = await one.alert()
                key = await one.ring(case_id, alert_id, "chen", "sms")
                await asyncio.to_thread(gateway.wait_for, 1)
            async with ward(world) as two:
                assert two.rows()[key].state == "waiting"
                assert await two.desk.delivery.deliver_due() == 1
                assert (two.rows()[key].state, gateway.ids) == ("sent", [key, key])

    asyncio.run(lives())
