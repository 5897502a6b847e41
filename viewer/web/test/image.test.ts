import { describe, expect, test } from "vitest";
import {
  cineRate,
  type DicomJson,
  dateOf,
  drawnByService,
  edgesOf,
  firstWindow,
  imageId,
  inOrder,
  lettersOf,
  mprRefusal,
  outwards,
  overlaysOf,
  ownWindow,
  presetsFor,
  previewPath,
  type Series,
  seriesOf,
  slicesOf,
  studyOf,
  text,
  withPalette,
} from "../src/state/dicomWeb";
import { begun, clockAt, saidBack, typed, unsignable, unticked, untoldVersions } from "../src/state/reading";
import { parseRoute } from "../src/state/route";
import type { ImageReading } from "../src/wireImage";

const AXIAL = [1, 0, 0, 0, 1, 0];
const TILT = [1, 0, 0, 0, 0.9483237, -0.3173047];

function slice(z: number, orientation = AXIAL, more: DicomJson = {}): DicomJson {
  return {
    "00080018": { vr: "UI", Value: [`1.2.${z}`] },
    "00200013": { vr: "IS", Value: [z] },
    "00200032": { vr: "DS", Value: [0, 0, z] },
    "00200037": { vr: "DS", Value: orientation },
    "00280010": { vr: "US", Value: [4] },
    "00280011": { vr: "US", Value: [4] },
    ...more,
  };
}

const SERIES: Series = {
  studyUid: "1.2.3",
  seriesUid: "1.2.4",
  number: 1,
  modality: "CT",
  description: null,
  bodyPart: null,
  count: 5,
};
const ct = (...z: number[]) => slicesOf(z.map((one) => slice(one)));

describe("what DICOMweb says", () => {
  test("slices lie in the order of their places, whatever order they come in and whatever their numbers say", () => {
    const given = [9, 1, 5].map((z) => slice(z, AXIAL, { "00200013": { vr: "IS", Value: [-z] } }));
    expect(slicesOf(given).map((one) => one.sopUid)).toEqual(["1.2.1", "1.2.5", "1.2.9"]);
  });

  test("slices at one place, or at none, keep the order of their numbers", () => {
    const same = [3, 1, 2].map((n) =>
      slice(n, AXIAL, {
        "00200032": { vr: "DS", Value: [0, 0, 61.5] },
        "00200013": { vr: "IS", Value: [n] },
      }),
    );
    expect(slicesOf(same).map((one) => one.number)).toEqual([1, 2, 3]);
  });

  test("an image of many frames is as many slices, and what has no pixels is none", () => {
    const film = slice(1, AXIAL, { "00280008": { vr: "IS", Value: [3] } });
    const report: DicomJson = { "00080018": { vr: "UI", Value: ["1.2.77"] } };
    expect(slicesOf([film, report]).map((one) => one.frame)).toEqual([1, 2, 3]);
    expect(cineRate(slicesOf([film])[0])).toBeNull();
    expect(cineRate(slicesOf([{ ...film, "00181063": { vr: "DS", Value: [40] } }])[0])).toBe(25);
  });

  test("a film runs as it is to be shown, else as it was taken; of no use is no rate", () => {
    const film = slice(1, AXIAL, { "00280008": { vr: "IS", Value: [3] } });
    const rate = (more: DicomJson): number | null => cineRate(slicesOf([{ ...film, ...more }])[0]);
    const taken: DicomJson = { "00181063": { vr: "DS", Value: ["33.333"] } };
    expect(rate(taken)).toBeCloseTo(30, 3);
    expect(rate({ ...taken, "00082144": { vr: "IS", Value: [15] } })).toBe(15);
    expect(rate({ ...taken, "00082144": { vr: "IS", Value: [0] } })).toBeCloseTo(30, 3);
    expect(rate({ "00181065": { vr: "DS", Value: [0, 40, 60] } })).toBe(20);
    expect(rate({ "00180040": { vr: "IS", Value: [12] } })).toBe(12);
    for (const none of [0, -5]) expect(rate({ "00181063": { vr: "DS", Value: [none] } })).toBeNull();
  });

  test("overlays of a file are counted, by their groups alone", () => {
    const rows = { vr: "US", Value: [300] };
    expect(overlaysOf(slice(1, AXIAL))).toBe(0);
    expect(overlaysOf(slice(1, AXIAL, { "60000010": rows, "60000011": rows, "60020010": rows }))).toBe(2);
    expect(overlaysOf(slice(1, AXIAL, { "60010010": rows, "00280010": rows, "60200010": rows }))).toBe(0);
  });

  test("series come by their number, one without a number last; what is not said is null", () => {
    const rows = [
      { "0020000E": { vr: "UI", Value: ["9"] } },
      { "0020000E": { vr: "UI", Value: ["8"] }, "00200011": { vr: "IS", Value: [2] } },
      {},
    ] as DicomJson[];
    const series = rows.flatMap((json) => seriesOf(json, "1") ?? []);
    expect(inOrder(series).map((one) => one.seriesUid)).toEqual(["8", "9"]);
    expect(series[0]).toMatchObject({ number: null, modality: null, count: null });
    expect(studyOf({})).toBeNull();
    expect(studyOf({ "0020000D": { vr: "UI", Value: ["5"] } })).toMatchObject({ date: null, modalities: "" });
    expect([dateOf("20261130"), dateOf("2026"), dateOf(null)]).toEqual(["2026-11-30", null, null]);
    expect(text({ "00100010": { vr: "PN", Value: [{ Alphabetic: "Li^Si" }] } }, "00100010")).toBe("Li^Si");
  });

  test("frames are asked for by their addresses, and a preview in the window that is shown", () => {
    const [first] = ct(1);
    if (!first) throw new Error("expected a slice");
    expect(imageId(SERIES, first)).toBe(
      "wadors:/dicom-web/studies/1.2.3/series/1.2.4/instances/1.2.1/frames/1",
    );
    expect(previewPath(SERIES, first, 512, { center: 40, width: 80 })).toContain("window=40,80,linear");
    expect(previewPath(SERIES, first, 512, null)).not.toContain("window");
  });

  test("the tables of a palette become numbers, of 16 bits and of 8", () => {
    const table = (bits: number): DicomJson => ({
      "00281101": { vr: "US", Value: [2, 0, bits] },
      "00281201": { vr: "OW", InlineBinary: btoa("\u0001\u0002\u0003\u0004") },
    });
    expect(withPalette(table(16))["00281201"]?.Value).toEqual([0x0201, 0x0403]);
    expect(withPalette(table(8))["00281201"]?.Value).toEqual([1, 2, 3, 4]);
    expect(withPalette({})).toEqual({});
  });

  test("the page of a study stands under its UID", () => {
    expect(parseRoute("/study/1.2.840.1")).toEqual({ page: "study", id: "1.2.840.1" });
  });
});

describe("what is on the screen", () => {
  test("each edge says which side of the patient lies there, slanted ones with two letters", () => {
    expect(edgesOf(slice(1))).toEqual({ left: "R", right: "L", top: "A", bottom: "P" });
    expect(edgesOf(slice(1, TILT))).toEqual({ left: "R", right: "L", top: "AH", bottom: "PF" });
    expect(lettersOf([0, 0, -1])).toBe("F");
    expect(edgesOf({ "00200020": { vr: "CS", Value: ["L", "F"] } })).toEqual({
      left: "R",
      right: "L",
      top: "H",
      bottom: "F",
    });
    expect(edgesOf({})).toBeNull();
  });

  test("window presets belong to CT: an X-ray has the window of its file, or none", () => {
    expect(presetsFor("CT").map((one) => one.id)).toEqual(expect.arrayContaining(["brain", "bone", "lung"]));
    expect(presetsFor("CR")).toEqual([]);
    expect(ownWindow(ct(1)[0])).toBeNull();
    const filed = slicesOf([
      slice(1, AXIAL, {
        "00281050": { vr: "DS", Value: [35, 400] },
        "00281051": { vr: "DS", Value: [100, 2000] },
      }),
    ]);
    expect(ownWindow(filed[0])).toEqual({ center: 35, width: 100 });
  });

  test("a CT that brings no window is shown in the table's, anything else from darkest to brightest", () => {
    expect(firstWindow(ct(1)[0], "CT")).toEqual({ center: 40, width: 400 });
    expect(firstWindow(ct(1)[0], "CR")).toBeNull();
  });

  test("what the browser would draw wrongly is drawn by the service", () => {
    const kind = (bits: number, colours: number, photometric: string, syntax: string): DicomJson => ({
      "00280100": { vr: "US", Value: [bits] },
      "00280002": { vr: "US", Value: [colours] },
      "00280004": { vr: "CS", Value: [photometric] },
      "00083002": { vr: "UI", Value: [syntax] },
    });
    const plain = "1.2.840.10008.1.2.1";
    expect(drawnByService(kind(16, 1, "MONOCHROME2", plain))).toBe(false);
    expect(drawnByService(kind(8, 3, "RGB", plain))).toBe(false);
    expect(drawnByService(kind(8, 3, "YBR_FULL_422", "1.2.840.10008.1.2.4.50"))).toBe(false);
    expect(drawnByService(kind(1, 1, "MONOCHROME2", plain))).toBe(true);
    expect(drawnByService(kind(32, 1, "MONOCHROME2", plain))).toBe(true);
    expect(drawnByService(kind(16, 3, "RGB", "1.2.840.10008.1.2.5"))).toBe(true);
    expect(drawnByService(kind(8, 3, "YBR_FULL_422", plain))).toBe(true);
    expect(drawnByService(kind(8, 3, "RGB", "1.2.840.10008.1.2.2"))).toBe(true);
    expect(drawnByService(kind(8, 3, "RGB", "1.2.840.10008.1.2.4.50"))).toBe(true);
  });

  test("what is fetched behind comes from the slice in sight outwards, each once", () => {
    expect(outwards(2, 5)).toEqual([2, 3, 1, 4, 0]);
    expect(outwards(0, 3)).toEqual([0, 1, 2]);
    expect([...outwards(7, 28)].sort((a, b) => a - b)).toEqual([...Array(28).keys()]);
    expect(outwards(0, 0)).toEqual([]);
  });
});

describe("cutting a series anew", () => {
  test("a straight, even block may be cut", () => {
    expect(mprRefusal(SERIES, ct(1, 2, 3, 4, 5, 6))).toBeNull();
  });

  test("what would show wrong distances is refused, each with its reason", () => {
    expect(mprRefusal(SERIES, ct(1, 2, 3))).toBe("few");
    expect(mprRefusal({ ...SERIES, modality: "CR" }, ct(1, 2, 3, 4, 5))).toBe("kind");
    expect(mprRefusal(SERIES, ct(1, 2, 3, 5, 6, 7))).toBe("gaps");
    const tilted = [1, 2, 3, 4, 5, 6].map((z) => slice(z, TILT));
    expect(mprRefusal(SERIES, slicesOf(tilted))).toBe("tilt");
    const turned = [1, 2, 3, 4, 5].map((z) => slice(z, z === 3 ? TILT : AXIAL));
    expect(mprRefusal(SERIES, slicesOf(turned))).toBe("orientation");
    const unplaced = [1, 2, 3, 4, 5].map((z) => slice(z, AXIAL, { "00200032": { vr: "DS" } }));
    expect(mprRefusal(SERIES, slicesOf(unplaced))).toBe("place");
    const film = slice(1, AXIAL, { "00280008": { vr: "IS", Value: [8] } });
    expect(mprRefusal(SERIES, slicesOf([film]))).toBe("frames");
  });
});

describe("reading a study", () => {
  test("a report with an empty part or a blank of its template cannot be signed", () => {
    const written = { findings: "右侧见高密度影", impression: "脑出血", template: null };
    expect(unsignable(written)).toBeNull();
    expect(unsignable({ ...written, impression: " " })).toBe("empty");
    expect(unsignable({ ...written, findings: "约___mL" })).toBe("blank");
    for (const half of ["约__mL", "约＿＿＿mL", "约＿mL"])
      expect(unsignable({ ...written, findings: half })).toBe("blank");
  });

  test("a mark or a lone yes is no read-back", () => {
    expect([null, "", " . ", "。。", "是"].filter(saidBack)).toEqual([]);
    expect(saidBack("脑出血")).toBe(true);
  });

  test("a tick alone is a draft, and a template asks before it writes over words", () => {
    const bleeding = {
      id: "bleeding",
      name: { zh: "出血", en: "bleeding" },
      findings: { zh: "高密度影___", en: "dense ___" },
      impression: { zh: "脑出血", en: "haemorrhage" },
      critical: ["intracranial_haemorrhage"],
    };
    const empty = { findings: "", impression: "", template: null, critical: [], provisional: false };
    const taken = { ...empty, findings: "dense ___", impression: "脑出血", template: "bleeding" };
    expect([begun(empty), begun({ ...empty, provisional: true }), begun(taken)]).toEqual([false, true, true]);
    expect([typed(empty, [bleeding]), typed(taken, [bleeding])]).toEqual([false, false]);
    expect(typed({ ...taken, findings: "高密度影22mL" }, [bleeding])).toBe(true);
    expect(unticked(taken, [bleeding])).toEqual(["intracranial_haemorrhage"]);
    expect(unticked({ ...taken, critical: bleeding.critical }, [bleeding])).toEqual([]);
    expect(unticked({ ...taken, template: null }, [bleeding])).toEqual([]);
  });

  test("the clock of a study runs from its start to its end, and beyond", () => {
    const [from, to] = ["2026-11-30T08:00:00Z", "2026-11-30T09:00:00Z"];
    expect(clockAt(from, to, Date.parse("2026-11-30T08:30:00Z"))).toEqual({ share: 0.5, left_s: 1800 });
    expect(clockAt(from, to, Date.parse("2026-11-30T09:01:00Z")).left_s).toBe(-60);
    expect(clockAt(to, to, Date.parse(to)).share).toBe(1);
  });
});

describe("what is told of a critical result", () => {
  test("each text that waits has its number and what it found; our own report is no series", () => {
    const air = { id: "free_air", zh: "穿孔", en: "perforation" };
    const signed = [
      { report_id: "r_1", critical: [] },
      { report_id: "r_2", critical: [air] },
    ];
    const untold = [{ report_id: "r_2", due_at: "2026-03-02T08:00:00Z", overdue: false }];
    const reading = { signed, untold } as unknown as ImageReading;
    expect(untoldVersions(reading)).toEqual([{ report_id: "r_2", number: 1, critical: [air] }]);

    const report = { ...SERIES, seriesUid: "2.25.1", number: 9000, modality: "SR" };
    const dose = { ...SERIES, seriesUid: "1.2.9", number: 997, modality: "SR" };
    expect(inOrder([report, dose, SERIES])).toEqual([SERIES, dose]);
  });
});
