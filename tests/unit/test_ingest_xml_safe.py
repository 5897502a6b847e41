"""XML from strangers: what is expanded (nothing), how much is taken, and in which encodings."""

import pytest

from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.number_lists import sample_values
from greenchannel.ingest.parsed import age_between
from greenchannel.ingest.reader import read_ecg
from greenchannel.ingest.xml_fields import decimal, moment, years
from greenchannel.ingest.xml_safe import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_TOKEN_BYTES,
    MAX_XML_BYTES,
    parse_xml,
    root_name,
)
from tests.xml_files import muse, muse_lead

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12))


def _error(data: bytes) -> IngestError:
    with pytest.raises(IngestError) as caught:
        parse_xml(data, [])
    return caught.value


def _name(data: bytes) -> tuple[str, list[str]]:
    tolerated: list[str] = []
    return parse_xml(data, tolerated).word("n"), tolerated


@pytest.mark.parametrize(
    "prolog",
    [
        f"<!DOCTYPE a [{LAUGHS}]>",
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://localhost/x.dtd"> %p;]>',
        '<!DOCTYPE a [<!ATTLIST a b CDATA "c">]>',
    ],
)
def test_a_document_type_with_declarations_is_refused_before_anything_is_expanded(prolog: str) -> None:
    """A billion laughs, a file of this machine, a remote file and an attribute by default."""
    assert _error(f"{prolog}<a>&l11;&x;</a>".encode()).code == "unsupported"


def test_the_name_of_an_outer_document_type_is_passed_over() -> None:
    """GE MUSE writes one; it is never fetched, and an entity of it is an error."""
    tree = parse_xml(b'<!DOCTYPE r SYSTEM "http://localhost:9/r.dtd"><r><n>x &lt; y</n></r>', [])
    assert tree.word("n") == "x < y"
    assert _error(b'<!DOCTYPE r SYSTEM "http://localhost:9/r.dtd"><r><n>&who;</n></r>').code == "malformed"


def test_what_is_too_large_is_refused() -> None:
    """Bytes, elements, depth, and one tag whose attributes never end."""
    assert _error(b"<a>" + b" " * MAX_XML_BYTES + b"</a>").code == "too_large"
    assert _error(b"<a>" + b"<b/>" * MAX_ELEMENTS + b"</a>").code == "too_large"
    assert _error(b"<a>" * (MAX_DEPTH + 1)).code == "too_large"
    attributes = b" ".join(b'a%d=">"' % n for n in range(MAX_TOKEN_BYTES // 5))
    assert _error(b"<a " + attributes + b"/>").code == "too_large"
    assert parse_xml(b"<a>" + b"x" * (2 * MAX_TOKEN_BYTES) + b"</a>", []).text[:2] == "xx"


def test_broken_xml_says_what_is_wrong_with_it() -> None:
    """A missing end is not the same as an error in the middle."""
    assert _error(b"<a><b>").code == "truncated"
    assert "'b'" in str(_error(b"<a><b>"))
    assert _error(b"<a><b></a>").code == "malformed"
    assert _error(b"<a").code == "truncated"
    assert _error(b"").code == "malformed"
    assert _error(b"<a></a><a></a>").code == "malformed"


@pytest.mark.parametrize(
    ("data", "note"),
    [
        ("<r><n>王芳</n></r>".encode(), None),
        ("\ufeff<r><n>王芳</n></r>".encode(), None),
        ('\ufeff<?xml version="1.0" encoding="utf-16"?><r><n>王芳</n></r>'.encode("utf-16-le"), None),
        ('\ufeff<?xml version="1.0" encoding="utf-16"?><r><n>王芳</n></r>'.encode("utf-16-be"), None),
        ("<r><n>王芳</n></r>".encode("utf-16-le"), None),
        ('<?xml version="1.0" encoding="GB18030"?><r><n>王芳</n></r>'.encode("gb18030"), None),
        ("<?xml version='1.0' encoding='gb2312' ?><r><n>王芳</n></r>".encode("gbk"), None),
        ('<?xml version="1.0" encoding="Big5"?><r><n>王芳</n></r>'.encode("big5"), None),
        ('<?xml version="1.0" encoding="UTF-8"?><r><n>王芳</n></r>'.encode("gbk"), "GB18030, not UTF-8"),
        ("<r><n>王芳</n></r>".encode("gbk"), "GB18030, not utf-8"),
        (
            '<?xml version="1.0" encoding="ISO-8859-1"?><r><n>王芳</n></r>'.encode("gbk"),
            "GB2312, not ISO-8859-1",
        ),
        ('<?xml version="1.0" encoding="ISO-8859-1"?><r><n>王芳</n></r>'.encode(), "UTF-8, not ISO-8859-1"),
        ('<?xml version="1.0" encoding="x-device"?><r><n>王芳</n></r>'.encode(), "not x-device"),
        ('<?xml version="1.0" encoding="punycode"?><r><n>王芳</n></r>'.encode(), "not punycode"),
        ('<?xml version="1.0" encoding="utf-16"?><r><n>王芳</n></r>'.encode(), "not utf-16"),
    ],
)
def test_a_chinese_name_comes_through_in_every_encoding(data: bytes, note: str | None) -> None:
    """As declared, by its mark, or, noted, as what it is in truth."""
    name, tolerated = _name(data)
    assert name == "王芳"
    assert tolerated == [] if note is None else note in tolerated[0]


@pytest.mark.parametrize("name", ["Größe", "André Müller", "ÄÖ", "créée"])
def test_western_names_are_not_taken_for_chinese(name: str) -> None:
    """Two letters with accents in a row may be a character of GB2312 as well."""
    assert _name(f'<?xml version="1.0" encoding="ISO-8859-1"?><r><n>{name}</n></r>'.encode("latin-1")) == (
        name,
        [],
    )


def test_a_broken_character_costs_that_character_alone() -> None:
    """It is marked and noted, as are control characters."""
    data = "<r><n>王芳王芳</n></r>".encode()
    name, tolerated = _name(data.replace("芳".encode(), b"\xe8\x8a", 1))
    assert (name[0], name[-2:]) == ("王", "王芳")
    assert "marked" in tolerated[0]
    name, tolerated = _name(b"<r><n>a\x01b</n></r>\0\0")
    assert name == "a\ufffdb"
    assert "control" in tolerated[0]


def test_names_are_local_and_an_attribute_without_prefix_goes_first() -> None:
    """Whatever prefix a device likes, the elements are the same."""
    tree = parse_xml(b'<h:a xmlns:h="x" xmlns:i="y"><h:b i:type="1" type="2"/><h:b i:kind="3"/></h:a>', [])
    assert [b.attributes.get("type") for b in tree.findall("b")] == ["2", None]
    assert tree.findall("b")[1].attributes["kind"] == "3"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"<?xml version='1.0'?>\n<!-- <x> -->\n<!DOCTYPE a SYSTEM 'a.dtd'>\n<h:abc x='1'>", "abc"),
        (b"\xef\xbb\xbf <a.b/>", "a.b"),
        ("\ufeff<a/>".encode("utf-16-be"), "a"),
        (b"<!DOCTYPE a [<!ENTITY x 'y'>]><b>", "b"),
        (b"<!-- never ends", None),
        (b"\xff\xfe", None),
        (b"", None),
        (b"plain", None),
        (b"< a>", None),
    ],
)
def test_the_root_element_is_seen_from_the_first_bytes(data: bytes, name: str | None) -> None:
    """By that the reader of a format is chosen."""
    assert root_name(data) == name


def test_lists_of_samples_hold_numbers_and_nothing_else() -> None:
    """Blanks or commas; no gap between commas, no word that Python would take for a number."""
    assert sample_values(" 1 -2\n3.5\t+4e0 ", "I", commas=False).tolist() == [1, -2, 3.5, 4]
    assert sample_values("\t1, -2,\n3,", "I", commas=True).tolist() == [1, -2, 3]
    assert sample_values(" ", "I", commas=True).tolist() == []
    long = [n % 4001 - 2000 for n in range(40_000)]
    assert sample_values(" ".join(map(str, long)), "I", commas=False).tolist() == long
    assert sample_values(",".join(map(str, long)) + ",", "I", commas=True).tolist() == long
    for text in ("1,,2", "1;2", "nan", "inf", "1_0", "1-2", "1e999", "1 2", "٣"):
        with pytest.raises(IngestError) as caught:
            sample_values(text, "I", commas=True)
        assert caught.value.code == "malformed"


def test_words_become_numbers_times_and_ages() -> None:
    """Unknown is None, and a time that is none is noted."""
    assert (decimal(" 4.88 "), decimal("٣"), decimal("1e400"), decimal(""), decimal(None)) == (
        4.88,
        None,
        None,
        None,
        None,
    )
    notes: list[str] = []
    assert str(moment("20260501160500.25+0800", "t", notes)) == "2026-05-01 16:05:00.250000+08:00"
    assert str(moment("202605011605Z", "t", notes)) == "2026-05-01 16:05:00+00:00"
    assert moment("20261301", "t", notes) is None
    assert moment("20260501160500+9900", "t", notes) is None
    assert moment("", "t", notes) is None
    assert len(notes) == 2
    born, acquired = moment("19650502", "t", notes), moment("20260501", "t", notes)
    assert (age_between(born, acquired), age_between(acquired, born), age_between(None, acquired)) == (
        60.0,
        None,
        None,
    )
    assert (years("18", "MONTHS"), years("61", "YEARS"), years("x", "DAYS")) == ("1.5", "61", "x")


def test_xml_of_another_kind_is_refused_by_its_name() -> None:
    """And one that begins like an ECG but is another's is refused by the reader."""
    with pytest.raises(IngestError, match="XML of another kind"):
        read_ecg([(None, b"<?xml version='1.0'?><svg/>")])


def test_a_chinese_muse_file_is_read_whatever_it_declares() -> None:
    """The same ECG in four encodings is the same ECG."""
    text = muse(muse_lead("I", [1, 2, 3]), name="王小明")
    for encoding in ("utf-8", "gbk", "utf-16"):
        assert read_ecg([(None, text.encode(encoding))]).identifiers["name"] == "王小明"
