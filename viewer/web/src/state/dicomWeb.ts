/** What DICOMweb says of a study, as the image page needs it: pure, from DICOM JSON (PS3.18 F). Unknown is null. */
import table from "./windows.json";

export interface DicomElement {
  vr: string;
  Value?: unknown[];
  /** Base64, in the order of bytes of the wire: little endian. */
  InlineBinary?: string;
}
export type DicomJson = Record<string, DicomElement>;

export interface Slice {
  sopUid: string;
  frame: number;
  number: number | null;
  position_mm: readonly [number, number, number] | null;
  json: DicomJson;
}

export interface Series {
  studyUid: string;
  seriesUid: string;
  number: number | null;
  modality: string | null;
  description: string | null;
  bodyPart: string | null;
  /** How many instances the archive says there are. */
  count: number | null;
}

export interface Preset {
  id: string;
  center: number;
  width: number;
}

const ROOT = "/dicom-web";
const at = encodeURIComponent;

export const studyPath = (studyUid: string): string => `${ROOT}/studies/${at(studyUid)}`;
export const seriesPath = (one: Pick<Series, "studyUid" | "seriesUid">): string =>
  `${studyPath(one.studyUid)}/series/${at(one.seriesUid)}`;
export const instancePath = (one: Series, slice: Slice): string =>
  `${seriesPath(one)}/instances/${at(slice.sopUid)}`;
/** Cornerstone's name for a frame: its loader asks for what stands behind the colon. */
export const imageId = (one: Series, slice: Slice): string =>
  `wadors:${instancePath(one, slice)}/frames/${slice.frame}`;
/** A picture that the service has drawn: there before the pixels are, and lossy. `window`: as the page shows it. */
export function previewPath(
  one: Series,
  slice: Slice,
  size_px: number,
  window: { center: number; width: number } | null,
): string {
  const asked = [`viewport=${size_px},${size_px}`, `quality=${PREVIEW_QUALITY}`];
  if (window !== null) asked.push(`window=${window.center},${window.width},linear`);
  return `${instancePath(one, slice)}/frames/${slice.frame}/rendered?${asked.join("&")}`;
}
export const thumbnailPath = (one: Series): string => `${seriesPath(one)}/thumbnail?viewport=96,96`;
/** One picture of the whole study, asked for before anything else is known; as the service's study_entry.py has it. */
export const firstPicture = (studyUid: string): string =>
  `${studyPath(studyUid)}/thumbnail?viewport=${FIRST_PX},${FIRST_PX}&quality=${PREVIEW_QUALITY}`;
/** The other studies of the patient that this reader may know of; by a patient's number alone two clinics' would mix. */
export const priorsPath = (studyUid: string): string => `${studyPath(studyUid)}/priors`;

const PREVIEW_QUALITY = 75;
const FIRST_PX = 512;

export function text(json: DicomJson, tag: string): string | null {
  const value = json[tag]?.Value?.[0];
  if (value === undefined || value === null) return null;
  if (typeof value === "object") return (value as { Alphabetic?: string }).Alphabetic ?? null;
  return String(value) === "" ? null : String(value);
}

export function numbers(json: DicomJson, tag: string): number[] {
  return (json[tag]?.Value ?? []).map(Number).filter((one) => Number.isFinite(one));
}

const first = (json: DicomJson, tag: string): number | null => numbers(json, tag)[0] ?? null;

/** A row of QIDO's answer for series. */
export function seriesOf(json: DicomJson, studyUid: string): Series | null {
  const seriesUid = text(json, "0020000E");
  if (seriesUid === null) return null;
  return {
    studyUid,
    seriesUid,
    number: first(json, "00200011"),
    modality: text(json, "00080060"),
    description: text(json, "0008103E"),
    bodyPart: text(json, "00180015"),
    count: first(json, "00201209"),
  };
}

/** Our own report as an object: it has a place of its own on the page, and no picture. */
const OUR_REPORT = 9000;
const isOurReport = (one: Series): boolean => one.modality === "SR" && one.number === OUR_REPORT;

/** By their number; those without one last, in the order that they came. */
export const inOrder = (all: readonly Series[]): Series[] =>
  all
    .filter((one) => !isOurReport(one))
    .sort((a, b) => (a.number ?? Number.MAX_VALUE) - (b.number ?? Number.MAX_VALUE));

type Triple = readonly [number, number, number];

const triple = (of: number[]): Triple | null =>
  of.length === 3 ? [of[0] as number, of[1] as number, of[2] as number] : null;
const dot = (a: Triple, b: Triple): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** Across the slices; null where an image says no orientation. */
export function normalOf(json: DicomJson): Triple | null {
  const o = numbers(json, "00200037");
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = o;
  return o.length === 6 ? [b * f - c * e, c * d - a * f, a * e - b * d] : null;
}

/** A kind of image that has rows and pixels, and not a report or a waveform. */
const pictured = (json: DicomJson): boolean => first(json, "00280010") !== null;

/** One slice for each frame: along the normal of the first where every image says where it lies, else by number. */
export function slicesOf(metadata: readonly DicomJson[]): Slice[] {
  const shown = metadata.filter((json) => pictured(json) && text(json, "00080018") !== null);
  const slices = shown.map((json) => ({
    sopUid: text(json, "00080018") as string,
    frame: 1,
    number: first(json, "00200013"),
    position_mm: triple(numbers(json, "00200032")),
    json,
  }));
  const normal = shown[0] ? normalOf(shown[0]) : null;
  const along = (one: Slice): number | null =>
    normal && one.position_mm ? dot(normal, one.position_mm) : null;
  const placed = new Set(slices.map(along));
  const byPlace = !placed.has(null) && placed.size === slices.length;
  slices.sort((a, b) =>
    byPlace ? (along(a) as number) - (along(b) as number) : (a.number ?? 0) - (b.number ?? 0),
  );
  return slices.flatMap((slice) => {
    const frames = Math.max(1, first(slice.json, "00280008") ?? 1);
    return Array.from({ length: frames }, (_, index) => ({ ...slice, frame: index + 1 }));
  });
}

/**
 * Frames in a second that the file asks for (PS3.3 C.7.6.5: as it is to be shown, else as it was taken); null: it is no film.
 * Of times that differ from frame to frame their mean.
 */
export function cineRate(slice: Slice | undefined): number | null {
  if (!slice) return null;
  const { json } = slice;
  const [, ...steps_ms] = numbers(json, "00181065");
  const mean_ms = steps_ms.length > 0 ? steps_ms.reduce((a, b) => a + b, 0) / steps_ms.length : null;
  const frame_ms = first(json, "00181063") || mean_ms;
  const rate_hz = first(json, "00082144") || (frame_ms ? 1000 / frame_ms : first(json, "00180040"));
  return rate_hz !== null && rate_hz > 0 && Number.isFinite(rate_hz) ? rate_hz : null;
}

const OVERLAY_ROWS = /^60[01][02468ACE]0010$/i;

/** How many drawings the file lays over its image (PS3.3 C.9.2): they are said, since no part of this page shows them. */
export const overlaysOf = (json: DicomJson): number =>
  Object.keys(json).filter((tag) => OVERLAY_ROWS.test(tag)).length;

export const presetsFor = (modality: string | null): Preset[] =>
  table.presets
    .filter((one) => one.modality === modality)
    .map((one) => ({ id: one.id, center: one.center_hu, width: one.width_hu }));

export interface Window {
  center: number;
  width: number;
}

/** The window that the file itself asks for. */
export function ownWindow(slice: Slice | undefined): Window | null {
  const center = slice ? first(slice.json, "00281050") : null;
  const width = slice ? first(slice.json, "00281051") : null;
  return center !== null && width !== null && width > 0 ? { center, width } : null;
}

/** What is shown first: the file's own window, or where a CT brings none, that of the table; null: from darkest to brightest. */
export function firstWindow(slice: Slice | undefined, modality: string | null): Window | null {
  const own = ownWindow(slice);
  if (own !== null || modality !== "CT") return own;
  return { center: table.without_window.center_hu, width: table.without_window.width_hu };
}

const PLAIN: ReadonlySet<string> = new Set(["", ".1", ".1.99", ".2"].map((end) => `1.2.840.10008.1.2${end}`));
const BIG_ENDIAN = "1.2.840.10008.1.2.2";
const JPEG_BASELINE = "1.2.840.10008.1.2.4.50";

/**
 * Kinds of images that the browser's decoders were seen to draw wrongly, or not at all, where the service draws them right:
 * of these its picture is shown, without loss, and no pixels.
 */
export function drawnByService(json: DicomJson): boolean {
  const bits = first(json, "00280100");
  const colours = (first(json, "00280002") ?? 1) > 1;
  const syntax = text(json, "00083002");
  const photometric = text(json, "00280004") ?? "";
  if (bits !== null && bits !== 8 && bits !== 16) return true;
  if (!colours) return false;
  if (bits === 16 || syntax === BIG_ENDIAN) return true;
  if (/_(422|420)$/.test(photometric) && (syntax === null || PLAIN.has(syntax))) return true;
  return photometric === "RGB" && syntax === JPEG_BASELINE;
}

/** The picture of a frame as the service draws it, without loss. */
export function servicePath(one: Series, slice: Slice, window: Window | null): string {
  const asked = window === null ? "" : `&window=${window.center},${window.width},linear`;
  return `${instancePath(one, slice)}/frames/${slice.frame}/rendered?accept=image/png${asked}`;
}

export type MprRefusal = "few" | "kind" | "frames" | "orientation" | "gaps" | "tilt" | "place";

/** Why this series cannot be cut anew across its slices without lying about distances; null: it can be. */
export function mprRefusal(series: Series, slices: readonly Slice[]): MprRefusal | null {
  const { least_slices, spacing_share, tilt_share } = table.mpr;
  if (series.modality !== "CT" && series.modality !== "MR") return "kind";
  if (slices.length < least_slices.value) return "few";
  if (slices.some((one) => one.frame !== 1)) return "frames";
  const [head] = slices;
  const normal = head ? normalOf(head.json) : null;
  if (!head || !normal || slices.some((one) => one.position_mm === null)) return "place";
  const same = (tag: string): boolean =>
    new Set(slices.map((one) => numbers(one.json, tag).join())).size === 1;
  if (!["00200037", "00280010", "00280011", "00280030"].every(same)) return "orientation";
  const steps = slices.slice(1).map((one, index) => {
    const before = slices[index]?.position_mm as Triple;
    const after = one.position_mm as Triple;
    return [after[0] - before[0], after[1] - before[1], after[2] - before[2]] as const;
  });
  const gaps = steps.map((step) => dot(normal, step));
  const [gap = 0] = gaps;
  if (gap <= 0 || gaps.some((one) => Math.abs(one - gap) > spacing_share.value * gap)) return "gaps";
  // Slices that lie behind one another off their own normal: the gantry was tilted, and the block is a slanted one.
  const slanted = steps.some(
    (step) => Math.hypot(...step) > Math.abs(dot(normal, step)) * (1 + tilt_share.value),
  );
  return slanted ? "tilt" : null;
}

export interface StudyRow {
  studyUid: string;
  date: string | null;
  description: string | null;
  modalities: string;
}

/** A row of QIDO's answer for studies. */
export function studyOf(json: DicomJson): StudyRow | null {
  const studyUid = text(json, "0020000D");
  if (studyUid === null) return null;
  return {
    studyUid,
    date: dateOf(text(json, "00080020")),
    description: text(json, "00081030"),
    modalities: (json["00080061"]?.Value ?? []).join(" "),
  };
}

/** `20261130` as it is read; null where it is no date. */
export const dateOf = (said: string | null): string | null =>
  said && /^\d{8}$/.test(said) ? `${said.slice(0, 4)}-${said.slice(4, 6)}-${said.slice(6)}` : null;

const SIDES = ["LR", "PA", "HF"] as const;

/** Towards which side of the patient a direction goes (PS3.3 C.7.6.1.1.1): `L`, or `LP` where it is slanted. */
export function lettersOf(direction: readonly number[]): string {
  const parts = direction.map((value, axis) => ({
    size: Math.abs(value),
    letter: SIDES[axis]?.[value > 0 ? 0 : 1],
  }));
  return parts
    .filter((one) => one.size > LEAST_SHARE)
    .sort((a, b) => b.size - a.size)
    .map((one) => one.letter)
    .join("");
}

/** A direction this far off an axis is no part of it any more. */
const LEAST_SHARE = 0.3;

export interface Edges {
  left: string;
  right: string;
  top: string;
  bottom: string;
}

/** What of the patient lies at each edge of the picture; null where the file does not say. */
export function edgesOf(json: DicomJson): Edges | null {
  const o = numbers(json, "00200037");
  if (o.length === 6) {
    const [row, column] = [o.slice(0, 3), o.slice(3)];
    const back = (of: number[]): number[] => of.map((value) => -value);
    return {
      left: lettersOf(back(row)),
      right: lettersOf(row),
      top: lettersOf(back(column)),
      bottom: lettersOf(column),
    };
  }
  const [row, column] = (json["00200020"]?.Value ?? []).map(String);
  if (!row || !column) return null;
  return { left: opposite(row), right: row, top: opposite(column), bottom: column };
}

const OPPOSITE: Record<string, string> = { L: "R", R: "L", A: "P", P: "A", H: "F", F: "H" };
const opposite = (letters: string): string => [...letters].map((one) => OPPOSITE[one] ?? one).join("");

const PALETTES = ["1", "2", "3"] as const;

/** The tables of a palette as numbers, which the loader wants; what is none stays as it is. */
export function withPalette(json: DicomJson): DicomJson {
  const changed: DicomJson = { ...json };
  for (const each of PALETTES) {
    const binary = json[`0028120${each}`]?.InlineBinary;
    const bits = numbers(json, `0028110${each}`)[2];
    if (binary === undefined) continue;
    const bytes = Uint8Array.from(atob(binary), (one) => one.charCodeAt(0));
    const values = bits === 8 ? bytes : new Uint16Array(bytes.buffer, 0, bytes.length >> 1);
    changed[`0028120${each}`] = { vr: "US", Value: [...values] };
  }
  return changed;
}

/** From the slice in sight outwards: what is looked at next comes next. */
export function outwards(index: number, count: number): number[] {
  const order: number[] = [];
  for (let step = 0; order.length < count; step += 1) {
    if (index + step < count) order.push(index + step);
    if (step > 0 && index - step >= 0) order.push(index - step);
    if (step > count) break;
  }
  return order;
}
