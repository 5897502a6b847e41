"""Whether two descriptions can be of one person: spellings explain nothing away, and make nobody of anybody."""

from datetime import date

import pytest

from greenchannel.service.imaging.person import Person, differences, names_differ


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Wang^Xiao Ming", "WANG^XIAOMING"),
        ("Wang^Xiao Ming", "Xiaoming Wang"),
        ("Wang^Da^^Mr", "wang da"),
        ("Wang^D", "Wang^Da"),
        ("Müller^Jörg", "MULLER^JORG"),
        ("Wang^Da=王^大", "王大"),
        ("王大", "Wang^Da"),  # two scripts say nothing of each other
        ("Li^Er", "Wang^Da=李^二=Li^Er"),
        ("Unknown", "Wang^Da"),
        ("无名氏", "王大"),
        (None, "Wang^Da"),
        ("^^", "Wang^Da"),
    ],
)
def test_spellings_of_one_name(one: str | None, other: str | None) -> None:
    """Order, case, accents, blanks, missing parts, initials, scripts, and names of nobody."""
    assert not names_differ(one, other)
    assert not names_differ(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Wang^Da", "Li^Er"),
        ("Zhang^Wei", "Zhang^Lei"),
        ("Zhang^Li", "Zhang^Lihua"),
        ("王大", "王二"),
        ("Wang^Da=王^大", "Li^Er=李^二"),
        ("Wang^D", "Wang^Er"),
    ],
)
def test_names_of_two_people(one: str, other: str) -> None:
    """Nearly the same is not the same: pinyin of two people differs by a letter."""
    assert names_differ(one, other)
    assert names_differ(other, one)


def test_sex_birthday_and_age_speak_where_both_know_them() -> None:
    """A birthday written the other way round, or guessed of an age, is no other; what is unknown says nothing."""
    one = Person(name="Wang^Da", sex="male", birth_date=date(1950, 3, 4), age_years=76.0)
    assert differences(one, Person()) == ()
    assert differences(one, Person(name="Li^Er", sex="female", birth_date=date(2015, 3, 4))) == (
        "name",
        "sex",
        "birth_date",
    )
    assert differences(one, Person(birth_date=date(1950, 4, 3), age_years=11.0)) == ()
    assert differences(one, Person(birth_date=date(1951, 1, 1))) == ()
    assert differences(one, Person(birth_date=date(1900, 1, 1), age_years=76.5)) == ()
    assert differences(one, Person(age_years=11.0)) == ("age_years",)
