"""XML from strangers: bounded, without entities, in whatever encoding devices write.

Expat does the parsing. A document type of its own inside a file (which is where entities, and so every XML bomb and
every reference to another file, are declared) ends the reading before anything is expanded; a mere name of one, as
GE MUSE writes it, is passed over and never fetched.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final
from xml.parsers import expat

from greenchannel.ingest.errors import IngestError, shown

# All bounds are [O]: of the resting ECGs at hand the largest has 0.5 MiB, 3,436 elements and attributes, 15 levels.
MAX_XML_BYTES: Final = 16 * 2**20
MAX_ELEMENTS: Final = 200_000
"""Elements and attributes together."""

MAX_DEPTH: Final = 200
MAX_TOKEN_BYTES: Final = 2**20
"""One tag with its attributes, or one comment."""

_CHUNK: Final = 2**16
_HEAD_BYTES: Final = 2**14
"""Within these the root element begins; comments may stand in front of it."""

_DECLARED: Final = re.compile(rb"""<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_ROOT: Final = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
# Characters that XML 1.0 does not allow, and devices write all the same.
_FORBIDDEN: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_IDEOGRAPH: Final = re.compile("[\u4e00-\u9fff]")
_LOOKED_AT: Final = 1000
_SINGLE_BYTE: Final = ("ascii", "iso8859-", "cp125", "koi8-")
_ENCODINGS: Final = (
    *_SINGLE_BYTE, "utf-8", "gb18030", "big5", "cp950", "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949"
)  # fmt: skip
_CHINESE: Final = ("gb2312", "gbk", "cp936")
# Expat's numbers for a document that ends too early: no element, unclosed token, partial character, open CDATA.
_ENDS_EARLY: Final = (3, 5, 6, 20)


@dataclass(slots=True)
class Node:
    """One element; names are local, without prefix or namespace."""

    name: str
    attributes: dict[str, str]
    children: "list[Node]" = field(default_factory=list)
    text: str = ""

    def findall(self, path: str) -> "list[Node]":
        """Descendants along a path of names, such as ``"a/b"``."""
        found = [self]
        for name in path.split("/"):
            found = [child for node in found for child in node.children if child.name == name]
        return found

    def find(self, path: str) -> "Node | None":
        """The first of `findall`, or None."""
        found = self.findall(path)
        return found[0] if found else None

    def word(self, path: str) -> str:
        """The text of `find` without blanks at its ends; empty where there is no such element."""
        node = self.find(path)
        return node.text.strip() if node is not None else ""

    def iter(self, name: str) -> "Iterator[Node]":
        """Every descendant of that name, and this element itself, in the order of the document."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            if node.name == name:
                yield node
            waiting.extend(reversed(node.children))


def root_name(data: bytes) -> str | None:
    """The local name of the root element, or None where `data` does not begin as XML does. Cheap."""
    head = data[:_HEAD_BYTES]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or head[:2] in (b"<\0", b"\0<"):
        text = head.decode("utf-16-be" if head[:1] in (b"\xfe", b"\0") else "utf-16-le", "replace")
    else:
        text = head.removeprefix(codecs.BOM_UTF8).decode("latin-1")
    at = 0
    while True:
        while at < len(text) and text[at] in " \t\r\n\ufeff":
            at += 1
        if text.startswith("<!--", at):
            end = text.find("-->", at)
        elif text.startswith("<?", at):
            end = text.find("?>", at)
        elif text.startswith("<!DOCTYPE", at):
            end, inner = text.find(">", at), text.find("[", at)
            if 0 <= inner < end:
                end = text.find("]>", at)
        else:
            match = _ROOT.match(text, at)
            return match[1] if match else None
        if end < 0:
            return None
        at = text.index(">", end) + 1


def parse_xml(data: bytes, tolerated: list[str]) -> Node:
    """The root element of a document.

    Parameters
    ----------
    tolerated
        Gets one sentence for whatever is odd about the encoding.

    Raises
    ------
    IngestError
        ``too_large``; ``unsupported`` for a document type with declarations of its own; ``truncated`` where the end is
        missing; ``malformed``.
    """
    if len(data) > MAX_XML_BYTES:
        raise _too_large("XML file", f"{MAX_XML_BYTES} bytes", str(len(data)))
    text = _decoded(data, tolerated).strip("\ufeff \t\r\n\0\x1a")
    if _FORBIDDEN.search(text):
        tolerated.append("the text has control characters, which XML does not allow; replaced")
        text = _FORBIDDEN.sub("\ufffd", text)
    # Counted before a tree of that size is built: in a process with much else in memory that alone takes seconds.
    if text.count("<") - text.count("</") > MAX_ELEMENTS:
        raise _too_large("number of XML elements", str(MAX_ELEMENTS), "more")
    builder = _Builder()
    parser = builder.parser
    fed = 0
    try:
        for at in range(0, len(text), _CHUNK):
            piece = text[at : at + _CHUNK].encode("utf-8", "replace")
            parser.Parse(piece, False)
            fed += len(piece)
            # Text is handed out as it comes; what is held back is one tag or comment that has not ended.
            if fed - parser.CurrentByteIndex > MAX_TOKEN_BYTES:
                raise _too_large("tag", f"{MAX_TOKEN_BYTES} bytes", "more")
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        if error.code in _ENDS_EARLY and text:
            open_name = builder.open[-1].name if builder.open else "root element"
            raise IngestError(
                "truncated",
                "the XML ends too early",
                "the end of every element",
                f"{shown(open_name)} is open",
            ) from error
        raise IngestError(
            "malformed", "the XML is not well-formed", "XML 1.0", f"{reason} in line {error.lineno}"
        ) from error
    return builder.root


class _Builder:
    """Handlers that make a tree within the bounds."""

    def __init__(self) -> None:
        self.open: list[Node] = []
        self.root = Node("", {})
        self._texts: list[list[str]] = []
        self._count = 0
        parser = self.parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        # What no other handler takes: here only a reference to an entity that is declared nowhere matters.
        parser.DefaultHandler = self._default

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1 + len(attributes)
        if self._count > MAX_ELEMENTS:
            raise _too_large("number of XML elements", str(MAX_ELEMENTS), "more")
        if len(self.open) >= MAX_DEPTH:
            raise _too_large("depth of XML elements", str(MAX_DEPTH), "more")
        node = Node(name.rpartition(":")[2], _local(attributes))
        if self.open:
            self.open[-1].children.append(node)
        else:
            self.root = node
        self.open.append(node)
        self._texts.append([])

    def _end(self, _name: str) -> None:
        self.open.pop().text = "".join(self._texts.pop())

    def _data(self, text: str) -> None:
        self._texts[-1].append(text)

    def _doctype(self, _name: str, _system: str | None, _public: str | None, has_own: bool) -> None:
        if has_own:
            raise _declares()

    def _entity(self, *_details: object) -> None:
        raise _declares()

    def _default(self, text: str) -> None:
        if self.open and text.startswith("&"):
            raise IngestError(
                "malformed", "the XML names an entity that is not declared", "text", "a reference"
            )


def _local(attributes: dict[str, str]) -> dict[str, str]:
    """Attributes by local name; one without prefix goes before one with."""
    if not any(":" in name for name in attributes):
        return attributes
    prefixed = {name.rpartition(":")[2]: value for name, value in attributes.items() if ":" in name}
    return prefixed | {name: value for name, value in attributes.items() if ":" not in name}


def _declares() -> IngestError:
    return IngestError(
        "unsupported", "the XML declares a document type or entities of its own", "none", "declarations"
    )


def _too_large(what: str, expected: str, got: str) -> IngestError:
    return IngestError("too_large", f"the {what} is too large", f"at most {expected}", got)


def _decoded(data: bytes, tolerated: list[str]) -> str:
    """The text of `data`: by its byte order mark, else by its declaration, else UTF-8; noted where that fails."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[:2] in (b"<\0", b"\0<"):
        return data.decode("utf-16-be" if data[:1] in (b"\xfe", b"\0") else "utf-16-le", "replace")
    body = data.removeprefix(codecs.BOM_UTF8)
    match = _DECLARED.match(body.lstrip()[:400])
    declared = match[1].decode("ascii") if match and len(body) == len(data) else "utf-8"
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        name = ""
    name = "gb18030" if name in _CHINESE else name
    if not name.startswith(_ENCODINGS):
        tolerated.append(f"the text is not {declared}, which it declares; read as UTF-8")
        name = "utf-8"
    if body.isascii():
        return body.decode("ascii")
    if name.startswith(_SINGLE_BYTE):
        return _single_byte(body, name, declared, tolerated)
    try:
        return body.decode(name)
    except UnicodeDecodeError:
        return _mended(body, name, declared, tolerated)


def _single_byte(body: bytes, name: str, declared: str, tolerated: list[str]) -> str:
    """Single-byte encodings take any bytes, so they are believed only where nothing speaks against it."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        if _is_chinese(body):
            tolerated.append(f"the text is GB2312, not {declared}, which it declares")
            return body.decode("gb2312")
        return body.decode(name, "replace")
    tolerated.append(f"the text is UTF-8, not {declared}, which it declares")
    return text


def _is_chinese(body: bytes) -> bool:
    """Whether what is not ASCII is GB2312, with two ideographs or more, half of them common ones (level 1)."""
    try:
        found = _IDEOGRAPH.finditer(body.decode("gb2312"))
    except UnicodeDecodeError:
        return False
    ideographs = [match[0] for match in islice(found, _LOOKED_AT)]
    common = sum(char.encode("gb2312")[0] <= 0xD7 for char in ideographs)
    return len(ideographs) >= 2 and 2 * common >= len(ideographs)


def _mended(body: bytes, name: str, declared: str, tolerated: list[str]) -> str:
    """Text that breaks its declared encoding: GB18030 where that fits better, else with marks."""
    text = body.decode(name, "replace")
    bad = text.count("\ufffd")
    good = len(text) - len(text.encode("ascii", "ignore")) - bad
    if name == "utf-8" and bad > good:
        try:
            text = body.decode("gb18030")
        except UnicodeDecodeError:
            pass
        else:
            tolerated.append(f"the text is GB18030, not {declared}, which it declares")
            return text
    tolerated.append(f"some of the text is not {declared}, which it declares; marked")
    return text
