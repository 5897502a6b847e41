/** An earlier recording of the same patient laid under this one, beat on beat. Pure. */
import type { Strip } from "./layout";
import type { Waveform } from "./waveform";

export interface EarlierTrace {
  wave: Waveform;
  /** R waves of the earlier recording, and of this one. */
  rS: readonly number[];
  ownRS: readonly number[];
}

/**
 * By how much the earlier recording is moved so that one beat of it lies on the first whole beat of the strip.
 *
 * Of its beats the one is taken whose following interval is most like, so that the next beats lie close, too. Null where
 * either has no beat: then nothing may be laid over anything.
 */
export function shiftFor(strip: Pick<Strip, "fromS" | "toS">, earlier: EarlierTrace): number | null {
  const at = earlier.ownRS.findIndex((r) => r >= strip.fromS && r < strip.toS);
  const own = earlier.ownRS[at];
  if (own === undefined || earlier.rS.length === 0) return null;
  const next = earlier.ownRS[at + 1];
  const lengthS = earlier.wave.durationS;
  let best: number | null = null;
  let least = Number.POSITIVE_INFINITY;
  earlier.rS.forEach((r, index) => {
    const following = earlier.rS[index + 1];
    const unlike = next === undefined || following === undefined ? 1 : Math.abs(following - r - (next - own));
    // What of the strip would stay without a trace weighs as much as an interval that is as much off.
    const bare = Math.max(0, own - strip.fromS - r);
    const short = Math.max(0, strip.toS - own - (lengthS - r));
    if (unlike + bare + short < least) [best, least] = [own - r, unlike + bare + short];
  });
  return best;
}
