"""ECG leads as quantities in the nomenclature ISO/IEEE 11073-10102: ``MDC_ECG_ELEC_POTL_I`` and its number.

DICOM writes the lead itself (partition 2, number N), FHIR and HL7 v2 mostly the voltage measured on it (2, 256 + N).
"""

import re
from typing import Final

from greenchannel.ingest.lead_names import MDC_BASE, SCP_LEADS, SCP_NUMBERS, lead_of_name

POTENTIAL_BASE: Final = MDC_BASE + 256
_NAME: Final = re.compile(r"MDC_ECG_(?:ELEC_POTL|LEAD)_(\w{1,8})", re.IGNORECASE)


def lead_of_mdc(code: str) -> str | None:
    """The wire name for a code by number (``131329``, ``2:257``) or by name (``MDC_ECG_ELEC_POTL_I``), or None."""
    word = code.strip()
    name = _NAME.fullmatch(word)
    if name is not None:
        return lead_of_name(name[1])
    number = re.fullmatch(r"(?:(\d{1,3}):)?(\d{1,9})", word)
    if number is None:
        return None
    value = int(number[2]) + (int(number[1]) << 16 if number[1] else 0)
    for base in (POTENTIAL_BASE, MDC_BASE):
        if value > base:
            return SCP_LEADS.get(value - base)
    return None


def mdc_of_lead(lead: str) -> tuple[str, str]:
    """Number and name of the voltage on a lead."""
    return str(POTENTIAL_BASE + SCP_NUMBERS[lead]), f"MDC_ECG_ELEC_POTL_{lead.upper()}"
