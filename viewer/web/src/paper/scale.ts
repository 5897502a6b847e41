/** The proportion of ECG paper. At 25 mm/s and 10 mm/mV one millimetre is 40 ms wide and 0.1 mV high, whatever the zoom. */

export const MM_PER_S = 25;
export const MM_PER_MV = 10;
/** The calibration pulse: 1 mV high, 0.2 s wide. */
export const CAL_MV = 1;
export const CAL_S = 0.2;
export const CAL_MM = CAL_S * MM_PER_S;

/** Speed and gain of the paper, as a recorder has them. */
export const SPEEDS = [25, 50] as const;
export const GAINS = [5, 10, 20] as const;

export interface Pace {
  mmPerS: number;
  mmPerMv: number;
}

export const STANDARD: Pace = { mmPerS: MM_PER_S, mmPerMv: MM_PER_MV };

/** `25 mm/s 10 mm/mV`. */
export const paceText = ({ mmPerS, mmPerMv }: Pace): string => `${mmPerS} mm/s ${mmPerMv} mm/mV`;

export interface Scale {
  pxPerMm: number;
  pxPerS: number;
  pxPerMv: number;
}

export function scaleOf(pxPerMm: number, pace: Pace = STANDARD): Scale {
  return { pxPerMm, pxPerS: pxPerMm * pace.mmPerS, pxPerMv: pxPerMm * pace.mmPerMv };
}

/** Below this the trace cannot be read; the paper scrolls instead of shrinking. */
export const LEAST_PX_PER_MM = 2.4;
export const MOST_PX_PER_MM = 5;
/** As near as a reader may go: one sample of 500 Hz is then 2 pixels wide. */
export const NEAREST_PX_PER_MM = 40;
const ZOOM_STEP = 1.25;

/** The zoom at which paper of this width fills the room, within what can be read. */
export function fitPxPerMm(roomPx: number, paperMm: number): number {
  return Math.min(MOST_PX_PER_MM, Math.max(LEAST_PX_PER_MM, roomPx / paperMm));
}

/** So many steps nearer (or, below 0, farther), within what can be read and what is of use. */
export function zoomed(pxPerMm: number, steps: number): number {
  const wanted = pxPerMm * ZOOM_STEP ** steps;
  return Math.min(NEAREST_PX_PER_MM, Math.max(LEAST_PX_PER_MM, wanted));
}
