"""Published formulas, in the units in which they were published: millimetres of ECG paper (0.1 mV) and milliseconds."""


def lad3(st60_v3_mm: float, qtc_ms: float, r_v4_mm: float) -> float:
    """The three-variable formula for subtle occlusion of the LAD (Smith, Ann Emerg Med 2012); QT after Bazett.

    >>> [round(v, 3) for v in (lad3(2, 420, 10), lad3(2.5, 390, 20), lad3(2, 400, 8))]
    [23.912, 19.48, 23.384]
    """
    return 1.196 * st60_v3_mm + 0.059 * qtc_ms - 0.326 * r_v4_mm


def lad4(st60_v3_mm: float, qtc_ms: float, qrs_v2_mm: float, r_v4_mm: float) -> float:
    """The four-variable formula (Driver, J Electrocardiol 2017); `qrs_v2_mm` from the highest to the lowest point.

    >>> [round(v, 3) for v in (lad4(2, 420, 15, 10), lad4(2.5, 390, 25, 20), lad4(2, 400, 12, 8))]
    [19.019, 13.8, 18.968]
    """
    return 1.062 * st60_v3_mm + 0.052 * qtc_ms - 0.151 * qrs_v2_mm - 0.268 * r_v4_mm


def simplified(r_v4_mm: float, qrs_v2_mm: float, qt_ms: float, st60_v3_mm: float) -> float:
    """The simplified formula (Aslanger, Am J Cardiol 2018): below its cut-off it speaks for infarction.

    >>> simplified(10, 15, 400, 2)
    13.0
    """
    return (r_v4_mm + qrs_v2_mm) - (qt_ms / 40.0 + st60_v3_mm)
