"""The page's types of the HTTP interface are those of the service."""

from greenchannel.viewer.web import openapi_types


def test_the_types_that_the_page_is_built_with_are_what_the_service_says() -> None:
    """Routes that came, went or take another body are in them; `viewer/web/openapi_types.py` writes them anew."""
    made = openapi_types.types_of(openapi_types.service_schema())

    assert '"/api/v1/cases/{case_id}/green-channel"' in made
    assert made == openapi_types.TYPES.read_text(encoding="utf-8"), "run python viewer/web/openapi_types.py"
