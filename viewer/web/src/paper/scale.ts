/** The one proportion of ECG paper: 1 mm is 40 ms wide and 0.1 mV high, whatever the zoom. */

export const MM_PER_S = 25;
export const MM_PER_MV = 10;
/** The calibration pulse: 1 mV high, 0.2 s wide. */
export const CAL_MV = 1;
export const CAL_S = 0.2;
export const CAL_MM = CAL_S * MM_PER_S;

export interface Scale {
  pxPerMm: number;
  pxPerS: number;
  pxPerMv: number;
}

export function scaleOf(pxPerMm: number): Scale {
  return { pxPerMm, pxPerS: pxPerMm * MM_PER_S, pxPerMv: pxPerMm * MM_PER_MV };
}

/** Below this the trace cannot be read; the paper scrolls instead of shrinking. */
export const LEAST_PX_PER_MM = 2.4;
export const MOST_PX_PER_MM = 5;

/** The zoom at which paper of this width fills the room, within what can be read. */
export function fitPxPerMm(roomPx: number, paperMm: number): number {
  return Math.min(MOST_PX_PER_MM, Math.max(LEAST_PX_PER_MM, roomPx / paperMm));
}
