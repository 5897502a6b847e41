"""The demo's images: read as any other, plain to be seen, and nothing of them waits in minutes."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from greenchannel.county import pictures
from greenchannel.ingest.imaging.instance import read_instance
from greenchannel.ingest.imaging.pixels import shown_values, values_hu

AT = datetime(2026, 3, 2, 16, 3, 50, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_a_chest_x_ray_is_one_view_with_dark_lungs_and_a_light_heart() -> None:
    """As it is shown, and with its time as the zone has it."""
    (data,) = pictures.chest_x_ray("demo-1603", AT)
    one = read_instance(data)
    assert (one.modality, one.body_part, one.patient_id, one.decodable) == ("DX", "CHEST", "demo-1603", True)
    assert one.study_at == AT
    shown = shown_values(data).astype(float)
    side = shown.shape[0]
    lung = shown[int(0.42 * side), int(0.29 * side)]
    heart = shown[int(0.64 * side), int(0.56 * side)]
    assert shown[5, 5] < lung < heart - 60


def test_a_head_ct_is_one_straight_block_in_hounsfield_units() -> None:
    """Air around, bone, brain and water within; no two slices alike."""
    slices = pictures.head_ct("demo-1603", AT)
    facts = [read_instance(data) for data in slices]
    assert len({one.study_uid for one in facts}) == len({one.series_uid for one in facts}) == 1
    assert [one.instance_number for one in facts] == list(range(1, pictures.HEAD_SLICES + 1))
    block = np.stack([values_hu(data) for data in slices])
    middle = block[pictures.HEAD_SLICES // 2]
    assert abs(float(np.median(middle[:20, :20])) - pictures.AIR) < 4 and middle.max() > 1000
    assert abs(float(np.median(middle[90:110, 150:170])) - pictures.BRAIN) < 4
    assert abs(float(np.median(middle[108:118, 133:138])) - pictures.WATER) < 12
    assert all((a != b).any() for a, b in pairwise(block))
