"""What files call the leads."""

import re
from functools import lru_cache
from typing import Final

from greenchannel.signal.leads import canonical

SCP_LEADS: Final = {
    1: "I", 2: "II", 3: "V1", 4: "V2", 5: "V3", 6: "V4", 7: "V5", 8: "V6", 9: "V7",
    11: "V3R", 12: "V4R", 13: "V5R", 16: "X", 17: "Y", 18: "Z",
    61: "III", 62: "aVR", 63: "aVL", 64: "aVF", 66: "V8", 67: "V9",
}  # fmt: skip
"""SCP-ECG lead numbers (EN 1064, table of lead identification). DICOM writes them as ``5.6.3-9-N`` under SCPECG
and as ``2:N`` under MDC (ISO/IEEE 11073-10102, code 131072 + N). [S] for 1-8, 61-64, V7, V3R-V5R; [O] the rest."""

SCP_NUMBERS: Final = {lead: number for number, lead in SCP_LEADS.items()}

MDC_BASE: Final = 131072

_OTHER_NAMES: Final = {"MLII": "II", "MLI": "I", "MLIII": "III", "VX": "X", "VY": "Y", "VZ": "Z"}
"""Modified limb leads of long-term recorders, and the Frank leads as PTB writes them."""

_DECORATION: Final = re.compile(r"^(?:LEAD|ECG|EKG|CHAN|MDC_ECG_LEAD)[\s:_-]+|\s*\(.*\)\s*$", re.IGNORECASE)


@lru_cache(maxsize=1024)
def lead_of_name(text: str) -> str | None:
    """The wire name for a lead written in words (``"avr"``, ``"Lead I (Einthoven)"``, ``"vx"``), or None."""
    name = _DECORATION.sub("", _DECORATION.sub("", text.strip())).strip()
    return canonical(name) or _OTHER_NAMES.get(name.upper())


@lru_cache(maxsize=1024)
def lead_of_code(code: str, scheme: str) -> str | None:
    """The wire name for a coded channel source of DICOM, or None where the code is no lead known here."""
    match scheme.strip().upper():
        case "SCPECG":
            number = re.fullmatch(r"5\.6\.3-9-(\d{1,5})", code.strip())
            return SCP_LEADS.get(int(number[1])) if number else None
        case "MDC":
            number = re.fullmatch(r"(?:2:)?(\d{1,9})", code.strip())
            if number is None:
                return None
            value = int(number[1])
            return SCP_LEADS.get(value - MDC_BASE if value >= MDC_BASE else value)
        case _:
            return None
