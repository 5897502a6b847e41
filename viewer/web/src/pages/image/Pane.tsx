/** One series in sight: a picture of the service at once, then the pixels themselves; slices, window, marks of the sides. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useLoaded } from "../../parts/load";
import {
  cineRate,
  type DicomJson,
  drawnByService,
  edgesOf,
  firstWindow,
  imageId,
  outwards,
  overlaysOf,
  ownWindow,
  previewPath,
  type Series,
  type Slice,
  seriesPath,
  servicePath,
  slicesOf,
  text,
} from "../../state/dicomWeb";
import { firstPictureCame } from "../../state/firstPicture";
import { saidOf } from "../../state/imageFault";
import { ti } from "../../textsImage";
import type { StackView, ToolName } from "./engine";
import { FirstPicture } from "./FirstPicture";
import { useFilm } from "./film";
import { Planes } from "./Planes";

type Engine = typeof import("./engine");
let engine: Promise<Engine> | null = null;
/** The code that draws is asked for once, while the list of series is still on its way; behind a first picture. */
export const askEngine = (): Promise<Engine> =>
  (engine ??= firstPictureCame().then(() => import("./engine")));

const PREVIEW_PX = 512;
/** So many frames are fetched behind what is being looked at: a thin link stays free for that. */
const AT_ONCE = 3;
const CINE_HZ = 10;

export interface Held {
  tool: ToolName;
  window: { center: number; width: number } | null;
  /** Counts on with each press: what is done once. */
  invert: number;
  reset: number;
  clear: number;
  playing: boolean;
  planes: boolean;
}

export interface PaneFacts {
  slices: readonly Slice[];
  series: Series;
}

interface Props {
  series: Series;
  held: Held;
  phone: boolean;
  onFacts: (facts: PaneFacts) => void;
  testid: string;
  /** The study whose picture stands here until the images of the series are known, where it can only be of this series. */
  first?: string | null;
}

export function Pane({ series, held, phone, onFacts, testid, first = null }: Props): JSX.Element {
  const { value, problem } = useLoaded<DicomJson[]>(`${seriesPath(series)}/metadata`, 0);
  const [slices, setSlices] = useState<Slice[] | null>(null);
  useEffect(() => {
    if (!value) return;
    const found = slicesOf(value);
    setSlices(found);
    onFacts({ slices: found, series });
  }, [value]);
  if (problem && !value) return <p class="trouble">{problem.words}</p>;
  if (slices === null && first !== null)
    return (
      <div class="pane" data-testid={testid}>
        <FirstPicture uid={first} />
      </div>
    );
  if (slices === null) return <div class="pane pane-empty" data-testid={testid} />;
  if (slices.length === 0) return <p class="empty">{ti("seriesNone")}</p>;
  if (held.planes) return <Planes series={series} slices={slices} window={held.window} />;
  if (slices.some((one) => drawnByService(one.json)))
    return <Pictures {...{ series, held, slices, testid }} />;
  return <Stack {...{ series, held, phone, slices, testid }} />;
}

interface StackProps extends Omit<Props, "onFacts" | "first"> {
  slices: readonly Slice[];
}

interface Shown {
  index: number;
  drawn: number | null;
  window: { center: number; width: number } | null;
  faults: ReadonlyMap<number, string>;
  here: number;
}

/** In the middle of a CT there is more to see than at its end. */
const startOf = (slices: readonly Slice[]): number => Math.floor((slices.length - 1) / 2);

function Stack({ series, held, phone, slices, testid }: StackProps): JSX.Element {
  const element = useRef<HTMLDivElement>(null);
  const view = useRef<StackView | null>(null);
  const [shown, setShown] = useState<Shown>({
    index: startOf(slices),
    drawn: null,
    window: null,
    faults: new Map(),
    here: 0,
  });
  const take = (change: Partial<Shown>): void => setShown((before) => ({ ...before, ...change }));
  const fault = (index: number, said: string): void =>
    setShown((before) => ({ ...before, faults: new Map(before.faults).set(index, said) }));
  useEffect(() => {
    let gone = false;
    let stop: (() => void) | null = null;
    void askEngine().then((loaded) => {
      if (gone || !element.current) return;
      const ids = slices.map((slice) => imageId(series, slice));
      loaded.begin();
      slices.forEach((slice, index) => void loaded.describe(ids[index] as string, slice.json));
      const made = new loaded.StackView(element.current, held.tool, phone ? "scroll" : held.tool, {
        onAsked: (index) => take({ index }),
        onDrawn: (index) => take({ drawn: index }),
        onWindow: (center, width) => take({ window: { center, width } }),
        onFault: fault,
      });
      view.current = made;
      const start = startOf(slices);
      void made.show(ids, start).then(() => {
        // Windows of the file belong to its slices each; only where it brings none there is one for all.
        const own = ownWindow(slices[start]);
        const begins = held.window ?? (own ? null : firstWindow(slices[start], series.modality));
        if (begins) made.setWindow(begins.center, begins.width);
        stop = fetchAll(loaded, ids, start, (here) => take({ here }), fault);
      });
    });
    return () => {
      gone = true;
      stop?.();
      view.current?.end();
      view.current = null;
    };
  }, [slices]);
  useOrders(view, held, phone, slices);
  const slice = slices[shown.index] as Slice;
  const goTo = (index: number): void => {
    take({ index });
    void view.current?.goTo(index);
  };
  return (
    <figure class="pane" data-testid={testid} data-index={shown.index} data-drawn={shown.drawn ?? ""}>
      <div class="pane-box">
        <div class="pane-canvas" ref={element} data-testid={`${testid}-canvas`} />
        <Preview {...{ series, slice, shown, held }} />
        <Marks {...{ series, slice, shown, count: slices.length }} />
      </div>
      {slices.length > 1 && <Slider count={slices.length} index={shown.index} testid={testid} goTo={goTo} />}
    </figure>
  );
}

/** A series that the browser would draw wrongly: the service's own pictures of it, without loss. */
function Pictures({ series, held, slices, testid }: Omit<StackProps, "phone">): JSX.Element {
  const [index, setIndex] = useState(startOf(slices));
  const [drawn, setDrawn] = useState<number | null>(null);
  const [refused, setRefused] = useState(false);
  const slice = slices[index] as Slice;
  const pathOf = (at: number): string => servicePath(series, slices[at] as Slice, held.window);
  const film = useFilm(held.playing, index, slices.length, cineRate(slices[0]) ?? CINE_HZ, pathOf, setIndex);
  const shown: Shown = { index, drawn, window: held.window, faults: new Map(), here: slices.length };
  return (
    <figure class="pane" data-testid={testid} data-index={index} data-drawn={drawn ?? ""}>
      <div class="pane-box">
        <img
          class="pane-preview"
          src={film.get(pathOf(index)) ?? pathOf(index)}
          alt=""
          data-testid="service-picture"
          onLoad={() => {
            setDrawn(index);
            setRefused(false);
          }}
          onError={() => setRefused(true)}
        />
        <p class="pane-said" role="status">
          {refused ? ti("serviceRefuses") : ti("servicePicture")}
        </p>
        <Marks {...{ series, slice, shown, count: slices.length }} />
      </div>
      {slices.length > 1 && (
        <Slider count={slices.length} index={index} testid={testid} goTo={(to) => setIndex(to)} />
      )}
    </figure>
  );
}

interface SliderProps {
  count: number;
  index: number;
  testid: string;
  goTo: (index: number) => void;
}

function Slider({ count, index, testid, goTo }: SliderProps): JSX.Element {
  return (
    <input
      class="pane-slider"
      type="range"
      min={1}
      max={count}
      value={index + 1}
      aria-label={ti("sliceChoose")}
      data-testid={`${testid}-slider`}
      onInput={(event) => goTo(Number(event.currentTarget.value) - 1)}
    />
  );
}

/** What the bar over the panes says, done in this one. */
function useOrders(
  view: { current: StackView | null },
  held: Held,
  phone: boolean,
  slices: readonly Slice[],
): void {
  useEffect(
    () => view.current?.use(held.tool, phone && held.tool === "window" ? "scroll" : held.tool),
    [held.tool],
  );
  useEffect(() => {
    if (held.window) view.current?.setWindow(held.window.center, held.window.width);
  }, [held.window]);
  useEffect(() => {
    if (held.invert > 0) view.current?.invert();
  }, [held.invert]);
  useEffect(() => {
    if (held.reset > 0) view.current?.reset();
  }, [held.reset]);
  useEffect(() => {
    if (held.clear > 0) view.current?.clearMeasures();
  }, [held.clear]);
  useEffect(() => {
    if (held.playing) view.current?.play(cineRate(slices[0]) ?? CINE_HZ);
    else view.current?.stop();
  }, [held.playing]);
}

/** Everything of the series, the nearest first; gives what stops it. */
function fetchAll(
  loaded: Engine,
  ids: readonly string[],
  start: number,
  told: (here: number) => void,
  fault: (index: number, said: string) => void,
): () => void {
  const order = outwards(start, ids.length);
  let stopped = false;
  let here = 0;
  const next = async (): Promise<void> => {
    for (let index = order.shift(); index !== undefined && !stopped; index = order.shift()) {
      try {
        await loaded.fetchBehind(ids[index] as string);
        here += 1;
      } catch (failure) {
        fault(index, saidOf(failure));
      }
      if (!stopped) told(here);
    }
  };
  for (let worker = 0; worker < AT_ONCE; worker += 1) void next();
  return () => {
    stopped = true;
  };
}

interface PreviewProps {
  series: Series;
  slice: Slice;
  shown: Shown;
  held: Held;
}

/** Lies over the canvas until the frame itself is drawn; stays where the browser cannot decode it. */
function Preview({ series, slice, shown, held }: PreviewProps): JSX.Element | null {
  const [refused, setRefused] = useState<string | null>(null);
  const said = shown.faults.get(shown.index);
  if (shown.drawn === shown.index && said === undefined) return null;
  const source = previewPath(series, slice, PREVIEW_PX, held.window ?? firstWindow(slice, series.modality));
  return (
    <>
      {refused !== source && (
        <img
          class="pane-preview"
          src={source}
          alt=""
          data-testid="preview"
          onError={() => setRefused(source)}
        />
      )}
      <p class="pane-said" role="status">
        {said === undefined && refused !== source && ti("preview")}
        {said !== undefined && (
          <>
            {ti(refused === source ? "notShown" : "notDecoded", { said })}
            {refused !== source && <b> {ti("onlyPreview")}</b>}
          </>
        )}
      </p>
    </>
  );
}

interface MarksProps {
  series: Series;
  slice: Slice;
  shown: Shown;
  count: number;
}

/** Whose image it is, which side is which, and how it is shown: in the corners, as the file says it. */
function Marks({ series, slice, shown, count }: MarksProps): JSX.Element {
  const { json } = slice;
  const edges = edgesOf(json);
  const overlays = overlaysOf(json);
  const who = [text(json, "00100010"), text(json, "00100020"), text(json, "00100040")].filter(Boolean);
  const when = [text(json, "00080020"), text(json, "00080030")?.slice(0, 6)].filter(Boolean);
  const { window } = shown;
  return (
    <figcaption class="marks num">
      <span class="mark-nw">
        {who.join(" · ")}
        <br />
        {when.length > 0 ? when.join(" ") : ti("studyUnknown")}
      </span>
      <span class="mark-ne">
        {series.modality} {series.description}
        {text(json, "00280301") === "YES" && (
          <>
            <br />
            <b>{ti("burnedIn")}</b>
          </>
        )}
        {overlays > 0 && (
          <>
            <br />
            <b data-testid="overlays">{ti("overlays", { n: overlays })}</b>
          </>
        )}
        {text(json, "00282110") === "01" && (
          <>
            <br />
            <b>{ti("lossySource")}</b>
          </>
        )}
      </span>
      <span class="mark-sw" data-testid="slice-mark">
        {ti("sliceOf", { n: shown.index + 1, all: count })}
        {shown.here < count && ` · ${ti("loaded", { n: shown.here, all: count })}`}
      </span>
      <span class="mark-se" data-testid="window-mark">
        {window && ti("windowNow", { center: Math.round(window.center), width: Math.round(window.width) })}
      </span>
      {edges === null ? (
        <span class="mark-n">{ti("unknownSide")}</span>
      ) : (
        <>
          <b class="mark-w">{edges.left}</b>
          <b class="mark-e">{edges.right}</b>
          <b class="mark-n">{edges.top}</b>
          <b class="mark-s">{edges.bottom}</b>
        </>
      )}
    </figcaption>
  );
}
