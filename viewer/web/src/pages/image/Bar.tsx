/** What can be done with the series in sight: one row of buttons over it, at the thumb on a phone. */
import type { JSX } from "preact";
import { cineRate, mprRefusal, ownWindow, presetsFor } from "../../state/dicomWeb";
import { ti } from "../../textsImage";
import type { ToolName } from "./engine";
import type { Held, PaneFacts } from "./Pane";

const TOOLS: readonly ToolName[] = ["window", "pan", "zoom", "scroll", "length", "angle", "area", "probe"];

interface Props {
  held: Held;
  facts: PaneFacts | null;
  phone: boolean;
  take: (change: Partial<Held>) => void;
  canCutAnew: boolean;
}

export function Bar({ held, facts, phone, take, canCutAnew }: Props): JSX.Element {
  const many = (facts?.slices.length ?? 0) > 1;
  const rate_hz = cineRate(facts?.slices[0]);
  return (
    <div class="image-bar" role="toolbar" aria-label={ti("tools")}>
      {TOOLS.map((tool) => (
        <button
          key={tool}
          type="button"
          class="act act-plain"
          aria-pressed={held.tool === tool}
          data-testid={`tool-${tool}`}
          onClick={() => take({ tool })}
        >
          {ti(`tool_${tool}`)}
        </button>
      ))}
      <Presets {...{ held, facts, take }} />
      <Press name="invert" run={() => take({ invert: held.invert + 1 })} />
      <Press name="reset" run={() => take({ reset: held.reset + 1, window: null })} />
      <Press name="clearMeasures" run={() => take({ clear: held.clear + 1 })} />
      {many && !held.planes && (
        <button
          type="button"
          class="act act-plain"
          aria-pressed={held.playing}
          data-testid="cine"
          onClick={() => take({ playing: !held.playing })}
        >
          {held.playing ? "■" : "▶"} {ti(held.playing ? "cineStop" : "cine")}
          {rate_hz !== null && ` ${ti("cineRate", { n: Math.round(10 * rate_hz) / 10 })}`}
        </button>
      )}
      {many && !phone && facts && <PlanesButton {...{ held, facts, take, canCutAnew }} />}
    </div>
  );
}

function Press({ name, run }: { name: "invert" | "reset" | "clearMeasures"; run: () => void }): JSX.Element {
  return (
    <button type="button" class="act act-plain" data-testid={name} onClick={run}>
      {ti(name)}
    </button>
  );
}

/** The windows of a modality as one choice: as many as there are, no row of buttons holds. */
function Presets({ held, facts, take }: Pick<Props, "held" | "facts" | "take">): JSX.Element | null {
  const presets = presetsFor(facts?.series.modality ?? null);
  const own = ownWindow(facts?.slices[0]);
  if (presets.length === 0 && own === null) return null;
  const chosen = presets.find(
    (one) => one.center === held.window?.center && one.width === held.window.width,
  )?.id;
  return (
    <label class="image-preset">
      <span>{ti("presets")}</span>
      <select
        data-testid="preset"
        value={chosen ?? "own"}
        onChange={(event) => {
          const found = presets.find((one) => one.id === event.currentTarget.value);
          take({ window: found ? { center: found.center, width: found.width } : own });
        }}
      >
        <option value="own">{ti("preset_own")}</option>
        {presets.map((one) => (
          <option key={one.id} value={one.id}>
            {ti(`preset_${one.id}` as "preset_brain")} {one.center}/{one.width}
          </option>
        ))}
      </select>
    </label>
  );
}

function PlanesButton({
  held,
  facts,
  take,
  canCutAnew,
}: Omit<Props, "phone" | "facts"> & { facts: PaneFacts }): JSX.Element {
  const refusal = mprRefusal(facts.series, facts.slices);
  const why = refusal ? ti(`refusal_${refusal}`) : canCutAnew ? null : ti("refusal_screen");
  return (
    <>
      <button
        type="button"
        class="act act-plain"
        disabled={why !== null}
        aria-pressed={held.planes}
        data-testid="planes-switch"
        onClick={() => take({ planes: !held.planes, playing: false })}
      >
        {ti(held.planes ? "planesOne" : "planes")}
      </button>
      {why && (
        <span class="muted" data-testid="planes-refused">
          {why}
        </span>
      )}
    </>
  );
}
