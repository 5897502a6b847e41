"""A critical result that was signed and that nobody has heard yet: first in the list, and before the clinic's eyes."""

from pathlib import Path

from tests.service.test_imaging_http import REPORT, TOLD, post, send, tell, waiting
from tests.service.viewer_house import House


def test_an_untold_critical_result_stands_above_everything_that_waits(tmp_path: Path) -> None:
    """Also above STAT, the first signed first; told, it is gone, and a provisional report stands last."""

    async def story(here: House) -> None:
        first, second, third = [await send(here, n, patient_id=f"P{n}") for n in (1, 2, 3)]
        stat = await send(here, 4, patient_id="P4", RequestedProcedurePriority="STAT")
        rad = await here.person("rad")
        for uid in (third, second):
            await post(here, rad, uid, "report", REPORT)
        await post(here, rad, first, "report", REPORT | {"critical": [], "provisional": True})

        assert await waiting(here, rad) == [third, second, stat, first]
        await post(here, rad, third, "critical", TOLD)
        assert await waiting(here, rad) == [second, stat, first]

    tell(tmp_path, story)
