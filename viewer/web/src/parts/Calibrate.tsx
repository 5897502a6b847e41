/** Making the paper as large as paper is: a bar on the screen as wide as a bank card, once for each screen. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { CARD_MM, CARD_SHORT_MM, forgetScreen, keepScreen, truePxPerMm } from "../state/screen";
import { t } from "../texts";

/** CSS promises 96 pixels to the inch, which no screen keeps; it is where the slider begins. */
const PX_PER_MM = 96 / 25.4;
const LEAST_PX = 120;
/** Edges of the dialog. */
const MARGIN_PX = 48;
const MOST_PX = 1200;
/** A telephone is narrower than a card is long: there the card is held upright. */
const UPRIGHT_BELOW_PX = 520;

export function Calibrate({ done }: { done(): void }): JSX.Element {
  const known = truePxPerMm();
  const [upright] = useState(innerWidth < UPRIGHT_BELOW_PX);
  const cardMm = upright ? CARD_SHORT_MM : CARD_MM;
  const most = upright ? innerWidth - MARGIN_PX : MOST_PX;
  const [px, setPx] = useState(Math.min(most, Math.round(cardMm * (known ?? PX_PER_MM))));
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const keep = (): void => {
    if (keepScreen(px, cardMm)) done();
  };
  return (
    <dialog
      ref={dialog}
      class="card calibrate"
      aria-labelledby="calibrate-title"
      onClose={done}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <h2 id="calibrate-title">{t("calibrate")}</h2>
      <p>{t(upright ? "calibrateUpright" : "calibrateHow")}</p>
      <div class="calibrate-room">
        <div class="calibrate-card" style={{ width: `${px}px` }} data-testid="calibrate-card">
          {cardMm.toFixed(2)} mm
        </div>
      </div>
      <label>
        <span>
          {t("calibrateWidth")} <span class="num">{t("calibratePixels", { n: px })}</span>
        </span>
        <input
          type="range"
          min={LEAST_PX}
          max={most}
          step={1}
          value={px}
          data-testid="calibrate-slider"
          onInput={(event) => setPx(Number(event.currentTarget.value))}
        />
      </label>
      <div class="choice">
        <button
          type="button"
          class="switch"
          aria-label="−1"
          onClick={() => setPx(Math.max(LEAST_PX, px - 1))}
        >
          −
        </button>
        <button type="button" class="switch" aria-label="+1" onClick={() => setPx(Math.min(most, px + 1))}>
          +
        </button>
      </div>
      <div class="choice">
        <button type="button" class="act" data-testid="calibrate-keep" onClick={keep}>
          {t("calibrateKeep")}
        </button>
        {known !== null && (
          <button
            type="button"
            class="act act-plain"
            onClick={() => {
              forgetScreen();
              done();
            }}
          >
            {t("calibrateForget")}
          </button>
        )}
        <button type="button" class="act act-plain" onClick={done}>
          {t("close")}
        </button>
      </div>
    </dialog>
  );
}
