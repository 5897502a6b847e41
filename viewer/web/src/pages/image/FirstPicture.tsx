/** One picture of a study, before its series are known: that of the page itself where one came with it. */
import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { firstPicture } from "../../state/dicomWeb";
import { takeFirstPicture } from "../../state/firstPicture";
import { ti } from "../../textsImage";

export function FirstPicture({ uid }: { uid: string }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [brought] = useState(() => takeFirstPicture(uid));
  const [refused, setRefused] = useState(false);
  useLayoutEffect(() => {
    if (!brought) return;
    brought.className = "pane-preview";
    brought.onerror = () => setRefused(true);
    box.current?.prepend(brought);
  }, []);
  return (
    <div class="pane-box">
      <div ref={box} />
      {!brought && !refused && (
        <img
          class="pane-preview"
          src={firstPicture(uid)}
          alt=""
          data-testid="preview"
          onError={() => setRefused(true)}
        />
      )}
      <p class="pane-said">{!refused && ti("preview")}</p>
    </div>
  );
}
