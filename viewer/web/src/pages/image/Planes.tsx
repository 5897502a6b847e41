/** A series cut along three planes. Offered only where the slices make a true block. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { imageId, type Series, type Slice } from "../../state/dicomWeb";
import { ti } from "../../textsImage";
import type { Plane, PlanesView } from "./engine";
import { askEngine } from "./Pane";

const PLANES: readonly Plane[] = ["axial", "coronal", "sagittal"];
/** As the planes are drawn: left and top edge of each. */
const EDGES: Record<Plane, readonly [left: string, top: string]> = {
  axial: ["R", "A"],
  coronal: ["R", "H"],
  sagittal: ["A", "H"],
};

interface Props {
  series: Series;
  slices: readonly Slice[];
  window: { center: number; width: number } | null;
}

export function Planes({ series, slices, window }: Props): JSX.Element {
  const boxes = useRef<Partial<Record<Plane, HTMLDivElement>>>({});
  const view = useRef<PlanesView | null>(null);
  useEffect(() => {
    let gone = false;
    void askEngine().then((loaded) => {
      const { axial, coronal, sagittal } = boxes.current;
      if (gone || !axial || !coronal || !sagittal) return;
      const ids = slices.map((slice) => imageId(series, slice));
      loaded.begin();
      slices.forEach((slice, index) => void loaded.describe(ids[index] as string, slice.json));
      view.current = new loaded.PlanesView({ axial, coronal, sagittal });
      void view.current.show(ids, window);
    });
    return () => {
      gone = true;
      view.current?.end();
      view.current = null;
    };
  }, [slices]);
  useEffect(() => {
    if (window) view.current?.setWindow(window.center, window.width);
  }, [window]);
  return (
    <div class="planes" data-testid="planes">
      {PLANES.map((plane) => (
        <figure class="pane" key={plane}>
          <div class="pane-box">
            <div
              class="pane-canvas"
              data-testid={`plane-${plane}`}
              ref={(element) => {
                if (element) boxes.current[plane] = element;
              }}
            />
            <figcaption class="marks">
              <span class="mark-nw">{ti(`plane_${plane}`)}</span>
              <b class="mark-w">{EDGES[plane][0]}</b>
              <b class="mark-n">{EDGES[plane][1]}</b>
            </figcaption>
          </div>
        </figure>
      ))}
    </div>
  );
}
