"""What an id and a place must be like."""

from collections.abc import Collection

from greenchannel.store.errors import Misfit


def check_id(id: str) -> None:
    """Raise `ValueError` for what can be no id."""
    if not id or len(id) > 64 or not id.isprintable() or id != id.strip():
        raise Misfit(
            f"expected an id of 1 to 64 printable characters, got {id!r}",
            f"编号应为 1 至 64 个可见字符,收到 {id!r}",
        )
    if id.startswith("agent:"):
        raise Misfit(
            f"expected an id that does not begin with agent: (a device's computer has that), got {id!r}",
            f"编号不能以 agent: 开头(留给基层电脑),收到 {id!r}",
        )


def check_place(lat: float | None, lon: float | None, radius_m: float | None) -> None:
    """Raise `ValueError` for a place that cannot be."""
    if (lat is None) != (lon is None) or (radius_m is not None and lat is None):
        raise Misfit(
            f"expected latitude and longitude together, got {lat} and {lon}",
            f"纬度和经度须一起填写,收到 {lat} 和 {lon}",
        )
    if lat is not None and lon is not None and not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise Misfit(
            f"expected a latitude of ±90 and a longitude of ±180 degrees, got {lat} and {lon}",
            f"纬度应在 ±90°、经度在 ±180° 以内,收到 {lat} 和 {lon}",
        )
    if radius_m is not None and not 20 <= radius_m <= 5000:
        raise Misfit(
            f"expected a radius of 20 to 5000 m, got {radius_m}",
            f"围栏半径应为 20 至 5000 米,收到 {radius_m}",
        )


def check_tied(to: Collection[str] | None, *, clinic: bool, on_duty: bool) -> None:
    """Raise `Misfit` for who has to do with patients and would see none; None is every site."""
    if clinic and not to:
        raise Misfit(
            "expected the site of a clinic's person: a clinic sees its own patients, got no site",
            "基层人员须指明所属机构:基层只看本机构的患者",
        )
    if on_duty and to is not None and not to:
        raise Misfit(
            "expected a site, or null for every site, got an empty list: who answers alerts would see no patient",
            "应至少指明一个机构,或以 null 表示全部机构;空列表会让应答预警的人看不到任何患者",
        )
