"""Small XML ECGs of every kind that is read, made by what is known of each format."""

import base64
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

EIGHT: Final = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
TWELVE: Final = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def muse_lead(lead: str, steps: Sequence[int], **changes: str) -> str:
    """One ``LeadData``; `changes` replace or add elements."""
    body = np.array(steps, dtype="<i2").tobytes()
    fields = {
        "LeadByteCountTotal": str(len(body)),
        "LeadSampleCountTotal": str(len(steps)),
        "LeadAmplitudeUnitsPerBit": "4.88",
        "LeadAmplitudeUnits": "MICROVOLTS",
        "LeadID": lead,
        "LeadSampleSize": "2",
        "LeadDataCRC32": str(zlib.crc32(body)),
        "WaveFormData": "\n" + base64.b64encode(body).decode() + "\n",
    } | changes
    return "<LeadData>" + "".join(f"<{name}>{text}</{name}>" for name, text in fields.items()) + "</LeadData>"


def muse(
    leads: str,
    *,
    head: str = '<?xml version="1.0" encoding="ISO-8859-1"?>',
    more: str = "",
    name: str = "Wang",
) -> str:
    """A MUSE file with these ``LeadData`` in its rhythm strip, and `more` behind it."""
    return f"""{head}
<!DOCTYPE RestingECG SYSTEM "restecg.dtd">
<RestingECG><PatientDemographics><PatientID>7</PatientID><PatientAge>61</PatientAge><AgeUnits>YEARS</AgeUnits>
<Gender>FEMALE</Gender><PatientLastName>{name}</PatientLastName></PatientDemographics>
<TestDemographics><AcquisitionTime>16:05:00</AcquisitionTime><AcquisitionDate>05-01-2026</AcquisitionDate>
</TestDemographics>
<Waveform><WaveformType>Rhythm</WaveformType><SampleBase>5</SampleBase><SampleExponent>2</SampleExponent>
<HighPassFilter>5</HighPassFilter><LowPassFilter>150</LowPassFilter><ACFilter>NONE</ACFilter>{leads}</Waveform>
{more}</RestingECG>"""


def muse_file() -> bytes:
    """Eight leads of six samples."""
    return muse("".join(muse_lead(lead, range(n, n + 6)) for n, lead in enumerate(EIGHT))).encode("latin-1")


def lzw_10_bits(data: bytes) -> bytes:
    """LZW with codes of ten bits and a table that is never emptied: the other half of what is tested."""
    table = {bytes((value,)): value for value in range(256)}
    codes = []
    word = b""
    for value in data:
        longer = word + bytes((value,))
        if longer in table:
            word = longer
            continue
        codes.append(table[word])
        if len(table) <= 1022:
            table[longer] = len(table)
        word = bytes((value,))
    codes += [table[word]] if word else []
    bits = "".join(f"{code:010b}" for code in codes)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big") if bits else b""


def xli_channel(samples: Sequence[int]) -> bytes:
    """One channel as Philips compresses it."""
    first = 2 * samples[1] - samples[0] - samples[2]
    deltas = [samples[0], samples[1]]
    for n in range(3, len(samples) + 1):
        last = 2 * samples[n - 1] - samples[n - 2] - samples[n] if n < len(samples) else 0
        deltas.append(last + 64)
    packed = struct.pack(f">{len(deltas)}H", *(delta & 0xFFFF for delta in deltas))
    body = lzw_10_bits(packed[::2] + packed[1::2])
    return struct.pack("<IHH", len(body), 0, first & 0xFFFF) + body


def limbs_apart(rows: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """What Philips stores of leads in whole steps: the limb leads less what follows from I and II."""
    one, two, three, avr, avl, avf = (np.array(rows[lead]) for lead in TWELVE[:6])
    stored = {
        "III": two - one - three,
        "aVR": -avr - ((one + two) >> 1),
        "aVL": ((one - three) >> 1) - avl,
        "aVF": ((two + three) >> 1) - avf,
    }
    return {lead: list(row) for lead, row in rows.items()} | {
        lead: row.tolist() for lead, row in stored.items()
    }


def philips(body: bytes, leads: Sequence[str], samples: int, **changes: str) -> str:
    """A Philips file around these bytes; `changes` replace attributes of the strip, ``kind`` and ``version``."""
    kind, version = changes.pop("kind", "PhilipsECG"), changes.pop("version", "1.04")
    attributes = {
        "dataencoding": "Base64", "compression": "XLI", "numberofleads": str(len(leads)),
        "leadlabels": " ".join(leads), "durationperchannel": str(samples * 2), "samplespersecond": "500",
        "resolution": "5", "signaloffset": "0", "signalsigned": "True", "bitspersample": "16", "hipass": "0.05",
        "lowpass": "150", "notchfiltered": "True", "notchfilterfreqs": "50",
    } | changes  # fmt: skip
    said = " ".join(f'{name}="{text}"' for name, text in attributes.items())
    return f"""<?xml version="1.0" encoding="utf-16"?>
<restingecgdata xmlns="http://www3.medical.philips.com"><documentinfo><documenttype>{kind}</documenttype>
<documentversion>{version}</documentversion></documentinfo>
<dataacquisition date="2026-05-01" time="16:05:00"><signalcharacteristics><samplingrate>500</samplingrate>
<acquisitiontype>STD-12</acquisitiontype></signalcharacteristics></dataacquisition>
<patient><generalpatientdata><patientid>7</patientid><name><lastname>王</lastname></name>
<age defaultage="50"><years>61</years></age><sex>Female</sex></generalpatientdata></patient>
<internalmeasurements><crossleadmeasurements><pacepulses><pacepulse starttime="4"/></pacepulses>
</crossleadmeasurements></internalmeasurements>
<interpretations><interpretation><severity>- ABNORMAL ECG -</severity><statement>
<leftstatement>Sinus rhythm</leftstatement><rightstatement>V-rate 50-99</rightstatement></statement>
</interpretation></interpretations>
<waveforms><parsedwaveforms {said}>{base64.b64encode(body).decode()}</parsedwaveforms></waveforms></restingecgdata>"""


def philips_rows(leads: Sequence[str], samples: int = 40) -> dict[str, list[int]]:
    """Some whole steps, the limb leads such that Einthoven and Goldberger hold within rounding."""
    rng = np.random.default_rng(3)
    rows = {lead: np.cumsum(rng.integers(-9, 10, samples)).tolist() for lead in leads}
    one, two = np.array(rows["I"]), np.array(rows["II"])
    rows |= {"III": (two - one).tolist(), "aVR": (-((one + two) >> 1)).tolist()}
    return rows | {"aVL": ((2 * one - two) >> 1).tolist(), "aVF": ((2 * two - one) >> 1).tolist()}


def philips_file(leads: Sequence[str] = TWELVE) -> bytes:
    """Leads of forty samples, compressed, in UTF-16."""
    stored = limbs_apart(philips_rows(leads))
    return philips(b"".join(xli_channel(stored[lead]) for lead in leads), leads, 40).encode("utf-16")


def schiller(channels: str, *, kind: str = "ECG_RHYTHMS", units: str = "UV", exponent: str = "1") -> str:
    """A Schiller file with these channels."""
    return f"""<?xml version="1.0"?>
<com.xiriuz.sema.xml.schillerEDI.SchillerEDI><patdata><id>7</id><lastname>Wang</lastname><birthdate>19650101</birthdate>
<gender>FEMALE</gender></patdata><examdescript><startdatetime><date>20260501</date><time>160500250</time></startdatetime>
</examdescript><eventdata><event><wavedata><type>{kind}</type><resolution><samplerate><exponent>{exponent}</exponent>
<value>500</value></samplerate><yres><unitperbit>2.5</unitperbit><units>{units}</units></yres></resolution>
{channels}</wavedata><filters_display><filter><name>MAINS</name><value>60</value></filter></filters_display>
<filters_data><filter><name>MAINS</name><value>OFF</value></filter>
<filter><name>LOWPASS_CUTOFF_FREQ</name><value>150</value></filter></filters_data><textdata><type>INTERPRETATION</type>
<remarks><parameters><param><name>SENSITIVITY</name><value>LOW</value></param></parameters>
<remark>sinus rhythm</remark></remarks></textdata></event></eventdata></com.xiriuz.sema.xml.schillerEDI.SchillerEDI>"""


def schiller_channel(lead: str, data: str, *, kind: str = "COMMASEPARATE", count: str = "3") -> str:
    """One channel."""
    return (
        f"<channel><name>{lead}</name><data>{data}</data><datastype>{kind}</datastype>"
        f"<samplecount>{count}</samplecount></channel>"
    )


def schiller_file() -> bytes:
    """Two leads of three samples."""
    return schiller(schiller_channel("I", "1,2,-3,") + schiller_channel("AVR", "4,5,6,")).encode()


def cardiosoft(leads: str, *, count: str = "3", units: str = "uVperLsb") -> str:
    """A CardioSoft file with these ``WaveformData``."""
    return f"""<?xml version="1.0" encoding="ISO-8859-1" ?>
<CardiologyXML><ObservationType>RestECG</ObservationType><ObservationDateTime><Hour>6</Hour><Minute>5</Minute>
<Second>0</Second><Day>1</Day><Month>5</Month><Year>2026</Year></ObservationDateTime><PatientInfo><PID>7</PID>
<Name><FamilyName>Wang</FamilyName><GivenName>Fang</GivenName></Name><Age units="MONTHS">18</Age>
<Gender>FEMALE</Gender></PatientInfo><FilterSetting><Filter50Hz>Yes</Filter50Hz><LowPass units="Hz">40</LowPass>
<HighPass units="Hz">0.05</HighPass></FilterSetting><Interpretation><Diagnosis>
<DiagnosisText>Sinus rhythm</DiagnosisText>
</Diagnosis></Interpretation><StripData><SampleRate units="Hz">500</SampleRate>
<ChannelSampleCountTotal>{count}</ChannelSampleCountTotal><Resolution units="{units}">5</Resolution>{leads}</StripData>
</CardiologyXML>"""


def cardiosoft_file() -> bytes:
    """Two leads of three samples."""
    leads = '<WaveformData lead="I">\t1,2,-3\n</WaveformData><WaveformData lead="aVR">4, 5,6</WaveformData>'
    return cardiosoft(leads).encode()


def aecg_lead(lead: str, digits: str, *, scale: str = "2.5", unit: str = "uV", origin: str = "0") -> str:
    """One sequence of samples."""
    return (
        f'<component><sequence><code code="MDC_ECG_LEAD_{lead}"/><value xsi:type="SLIST_PQ">'
        f'<origin value="{origin}" unit="{unit}"/><scale value="{scale}" unit="{unit}"/>'
        f"<digits>{digits}</digits></value></sequence></component>"
    )


def aecg_set(
    leads: str, *, head: str = "20260501160500.250+0800", increment: str = "0.002", unit: str = "s"
) -> str:
    """One sequence set from an instant on."""
    return (
        '<component><sequenceSet><component><sequence><code code="TIME_ABSOLUTE"/><value xsi:type="GLIST_TS">'
        f'<head value="{head}"/><increment value="{increment}" unit="{unit}"/></value></sequence></component>'
        f"{leads}</sequenceSet></component>"
    )


def aecg(sets: str, *, code: str = "RHYTHM", more: str = "") -> str:
    """An annotated ECG with these sequence sets in one series, and `more` within the series."""
    return f"""<?xml version="1.0" encoding="utf-8"?><!-- a comment before the root -->
<AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" type="Observation">
<componentOf><timepointEvent><componentOf><subjectAssignment><subject><trialSubject><id root="1.2" extension="7"/>
<subjectDemographicPerson><name>王芳</name><administrativeGenderCode code="F"/><birthTime value="19650101"/>
</subjectDemographicPerson></trialSubject></subject></subjectAssignment></componentOf></timepointEvent></componentOf>
<component><series><code code="{code}"/>{sets}{more}</series></component></AnnotatedECG>"""


def aecg_file() -> bytes:
    """Two leads of four samples."""
    return aecg(aecg_set(aecg_lead("II", "1 2 -3 4") + aecg_lead("AVR", "5 6 7 8"))).encode()
