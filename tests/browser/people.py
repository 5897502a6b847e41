"""People of a county in front of real browsers, and what a clinic's machine sends them."""

from dataclasses import dataclass, field
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, expect

from greenchannel.county import cast
from tests.served import Served
from tests.service.viewer_house import ecg_file

SOON_MS = 20_000
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}


@dataclass(kw_only=True)
class People:
    """Who works in the county, each signed in on a page of their own."""

    browser: Browser
    county: Served
    errors: list[str] = field(default_factory=list)  # what any of their pages did wrong

    def enter(
        self,
        user: str,
        *,
        phone: bool = False,
        lang: str = "zh",
        base: str | None = None,
        ears: str | None = None,
        **context: Any,
    ) -> Page:
        """A person signs in, and sees the page where their role begins.

        `base` is the way to the service where it is not the straight one, `ears` a script that each page begins with.
        """
        made: BrowserContext = self.browser.new_context(
            viewport=PHONE if phone else DESKTOP,  # type: ignore[arg-type]
            locale="zh-CN",
            base_url=base or self.county.base,
            **context,
        )
        if ears is not None:
            made.add_init_script(ears)
        page = made.new_page()
        page.on("pageerror", lambda error: self.errors.append(f"{user}: {error}"))
        page.goto(f"/login?lang={lang}")
        page.locator("input[name=user]").fill(user)
        page.locator("input[name=password]").fill(password(user))
        page.get_by_test_id("sign-in").click()
        expect(page.get_by_test_id("connection")).to_contain_text("●", timeout=SOON_MS)
        return page

    def ask(self, user: str, method: str, path: str, body: Any = None) -> Any:
        """What a person does elsewhere: one call of the interface; gives the answer's JSON."""
        headers = {"Origin": self.county.base}
        with httpx.Client(base_url=self.county.base, headers=headers, timeout=20.0, trust_env=False) as http:
            entered = http.post("/api/v1/session", json={"user": user, "password": password(user)})
            assert entered.status_code == 200, entered.text
            answer = http.request(method, f"/api/v1{path}", json=body)
            assert answer.status_code < 300, answer.text
            return answer.json() if answer.content else None

    def infarction(self, *, seed: int = 1, site: str = "yinzhao", **fields: str) -> str:
        """A clinic's machine sends an ECG with an infarction; gives the case."""
        with httpx.Client(base_url=self.county.base, timeout=20.0, trust_env=False) as http:
            sent = http.post(
                "/api/v1/ecgs",
                content=ecg_file(st_mv=0.4, seed=seed),
                params={"arrival_mode": "2", "age": "61", "sex": "male", "chest_pain": "yes"} | fields,
                headers={"Authorization": f"Bearer {self.county.tokens[f'ecg-{site}']}"},
            )
            assert sent.status_code == 201, sent.text
            return str(sent.json()["case_id"])


def password(user: str) -> str:
    """Of one of the county's people."""
    return next(one.password for one in (*cast.USERS, cast.RADIOLOGIST, cast.ADMIN) if one.user == user)


def width_beyond(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
