"""What leaves the house says no name, and on a public channel no more than tier and site."""

import msgspec
import pytest

from greenchannel.alerts import delivery
from greenchannel.alerts.channels import channels
from greenchannel.alerts.messages import compose

FACTS = {
    "case_id": "c_1",
    "alert_id": "a_1",
    "site": "yinzhao",
    "tier": "ACT",
    "round": 1,
    "step": 0,
    "name": "张桂兰",
    "phone": "13800001234",
}


@pytest.mark.parametrize("kind", sorted(delivery.kinds()))
def test_a_public_message_says_tier_and_site_alone(kind: str) -> None:
    """No id of a case or an alert, no person; whatever else stands in the row."""
    message = compose(
        kind, "a_1:1:0:chen:webpush", FACTS, site_zh="阴赵卫生院", site_en="Yinzhao", public=True
    )
    left = msgspec.json.encode(message).decode()

    assert message.facts == {}
    for secret in ("c_1", "a_1", "chen", "张桂兰", "13800001234"):
        assert secret not in left


@pytest.mark.parametrize("kind", sorted(delivery.kinds()))
def test_a_message_to_a_machine_of_ours_says_known_facts_alone(kind: str) -> None:
    """A field that nobody thought of does not slip out."""
    message = compose(kind, "k", FACTS, site_zh="阴赵", site_en="Yinzhao", public=False)

    assert set(message.facts) == {"case_id", "alert_id", "site", "tier", "round", "step"}
    assert message.title and message.text


def test_the_end_of_an_alert_has_the_tag_of_its_beginning() -> None:
    """So that it takes its place on a screen; another round, or another alert, has another."""
    tags = [
        compose(kind, key, FACTS | more, site_zh="", site_en="", public=True).tag
        for kind, key, more in (
            ("alert", "k1", {}),
            ("alert_stop", "k2", {}),
            ("alert", "k3", {"round": 2}),
            ("alert", "k4", {"alert_id": "a_2"}),
        )
    ]

    assert tags[0] == tags[1]
    assert len(set(tags)) == 3


def test_a_site_may_have_any_name() -> None:
    """Braces in it are letters like others."""
    assert "{tier}" in compose("alert", "k", FACTS, site_zh="{tier}", site_en="x", public=True).text


def test_third_parties_are_public() -> None:
    """Chats, push and e-mail go through servers of others."""
    public = {name for name, spec in channels().items() if spec.public}

    assert public == {"webpush", "dingtalk", "wecom", "feishu", "email"}
    assert not channels()["webpush"].alone
