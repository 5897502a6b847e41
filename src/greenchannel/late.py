"""GDCM, loaded when something is decoded by it and not when pydicom looks whether it is there.

pydicom imports every decoder that is installed as it is imported itself. GDCM's library alone takes 35 MB of each
process, and some tenths of a second of its start, also where no image comes that needs it.
"""

import importlib
import importlib.util
import sys
import threading
from types import ModuleType
from typing import Any, Final

_NAME: Final = "gdcm"
_loading: Final = threading.RLock()


class _Version:
    """Of the package, as GDCM itself would say it: pydicom asks for it at once."""

    def __init__(self, standing: "_Late") -> None:
        self._standing = standing

    def GetVersion(self) -> str:
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("python-gdcm")
        except PackageNotFoundError:  # installed in another way
            return str(_load(self._standing).Version.GetVersion())


class _Late(ModuleType):
    """Stands where GDCM will: any name of it but those that pydicom asks for at once loads it, in whatever thread."""

    def __init__(self) -> None:
        super().__init__(_NAME)
        self.Version = _Version(self)

    def DataElement(self, *given: Any) -> Any:
        """pydicom imports this name; it is used behind others alone, but may be called."""
        return _load(self).DataElement(*given)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_load(self), name)


def _load(standing: _Late) -> ModuleType:
    with _loading:
        if standing.__dict__.get("real") is None:
            sys.modules.pop(_NAME, None)
            try:
                real = importlib.import_module(_NAME)
            finally:
                sys.modules[_NAME] = standing
            standing.__dict__.update({name: value for name, value in vars(real).items() if name[:2] != "__"})
            standing.__dict__["real"] = real
        found: ModuleType = standing.__dict__["real"]
        return found


def gdcm_loads_late() -> None:
    """Call before pydicom is imported; without effect afterwards, and where GDCM is not installed."""
    if _NAME in sys.modules or "pydicom" in sys.modules:
        return
    spec = importlib.util.find_spec(_NAME)
    if spec is not None:
        standing = _Late()
        standing.__spec__ = spec
        sys.modules[_NAME] = standing


def is_gdcm_loaded() -> bool:
    """Is the library itself in this process?"""
    return "_gdcm" in sys.modules
