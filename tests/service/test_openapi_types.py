"""The page's types of the HTTP interface are those of the service."""

import importlib.util
from types import ModuleType

from tests.require import ROOT


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("openapi_types", ROOT / "viewer" / "web" / "openapi_types.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_types_that_the_page_is_built_with_are_what_the_service_says() -> None:
    """A route that came, went or takes another body is in them; `python viewer/web/openapi_types.py` writes them anew."""
    script = _script()
    made = script.types_of(script.service_schema())

    assert '"/api/v1/cases/{case_id}/green-channel"' in made
    assert made == script.TYPES.read_text(encoding="utf-8"), "run python viewer/web/openapi_types.py"
