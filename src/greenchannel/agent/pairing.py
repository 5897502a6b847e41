"""Pairing: the clinic's computer takes its token for a code that an administrator has read out, once."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from greenchannel.agent.link import Link, LinkDown


class NotPaired(Exception):
    """There is no token: why, in both languages. Nothing was changed here."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Whose token it is."""

    device: str
    name: str
    site: str  # its Chinese name


def pair(server: str, code: str, token_file: Path, *, ca_file: Path | None = None) -> Paired:
    """Ask `server` for the token of `code`, and put it into `token_file`, readable by this account alone.

    The file is made first: a code is good once, and a token that could not be kept would be lost.

    Raises
    ------
    BadServer
        The address is none.
    NotPaired
        The server was not reached, it refused the code, or the file cannot be written.
    """
    token_file = Path(token_file)
    fresh = token_file.with_name(f"{token_file.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise NotPaired(
            f"令牌文件无法写入({error.strerror or error}),代码没有用掉:{token_file}",
            f"the token file cannot be written ({error.strerror or error}); the code was not used: {token_file}",
        ) from error
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            answer = _ask(server, code, fresh, ca_file)
            file.write(f"{answer['token']}\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(token_file)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    return Paired(device=str(answer["device"]), name=str(answer["name"]), site=str(answer["site"]["name_zh"]))


def _ask(server: str, code: str, token_file: Path, ca_file: Path | None) -> dict[str, Any]:
    link = Link(server, token_file, ca_file=ca_file, signed=False)
    body = msgspec.json.encode({"code": code.strip()})
    try:
        reply = link.request("POST", "/pairing", {"Content-Type": "application/json"}, body)
    except LinkDown as error:
        raise NotPaired(error.trouble.zh, error.trouble.en) from error
    finally:
        link.close()
    try:
        said: dict[str, Any] = msgspec.json.decode(reply.body, type=dict[str, Any])
        if reply.status == 200:
            said = {name: said[name] for name in ("token", "device", "name", "site")}
    except (msgspec.DecodeError, KeyError) as error:
        raise NotPaired(
            f"这个地址没有给出令牌(收到 {reply.status}),请核对服务地址",
            f"no token came from this address (status {reply.status}): check the address of the service",
        ) from error
    if reply.status != 200:
        detail = str(said.get("detail") or reply.status)
        raise NotPaired(str(said.get("zh") or detail), detail)
    return said
