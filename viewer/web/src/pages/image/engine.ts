/**
 * Cornerstone3D behind a few calls of our own. Only the image page asks for this module, by `import()`: it is large.
 * One stack, or three planes of one volume, in elements that the page gives.
 */
import {
  cache,
  init as coreInit,
  Enums,
  eventTarget,
  getConfiguration,
  getRenderingCapabilities,
  imageLoader,
  RenderingEngine,
  setVolumesForViewports,
  type Types,
  triggerEvent,
  volumeLoader,
} from "@cornerstonejs/core";
import { init as loaderInit, wadors } from "@cornerstonejs/dicom-image-loader";
import * as tools from "@cornerstonejs/tools";
import { type DicomJson, withPalette } from "../../state/dicomWeb";
import { saidOf } from "../../state/imageFault";

export type ToolName = "window" | "pan" | "zoom" | "scroll" | "length" | "angle" | "area" | "probe";

const TOOLS = {
  window: tools.WindowLevelTool,
  pan: tools.PanTool,
  zoom: tools.ZoomTool,
  scroll: tools.StackScrollTool,
  length: tools.LengthTool,
  angle: tools.AngleTool,
  area: tools.EllipticalROITool,
  probe: tools.ProbeTool,
} as const;
const { MouseBindings } = tools.Enums;
/** Pixels that stay in memory: a CT of 300 slices of 512 × 512 is 158 MB as 16 bit. */
const CACHE_BYTES = 512 * 1024 * 1024;
const WORKERS = 2;
/** A browser gives few contexts to the graphics unit, and takes the oldest away without a word. */
const CONTEXTS = 1;
/** As the loader calls it, once the bytes of a frame are there. */
const BYTES_CAME = "cornerstoneimageloadend";
const DECODED_WITHIN_MS = 8_000;

let begun = false;

/** One for all panes: each would hold contexts of its own. */
let shared: RenderingEngine | null = null;
const engineOf = (): RenderingEngine => (shared ??= new RenderingEngine("images"));

export function begin(): void {
  if (begun) return;
  begun = true;
  const settings = getConfiguration();
  coreInit({ ...settings, rendering: { ...settings.rendering, webGlContextCount: CONTEXTS } });
  tools.init();
  loaderInit({ maxWebWorkers: WORKERS, useLegacyMetadataProvider: true });
  cache.setMaxCacheSize(CACHE_BYTES);
  mindDecoders();
  for (const tool of [...Object.values(TOOLS), tools.CrosshairsTool]) tools.addTool(tool);
}

/** A decoder that stumbles says nothing, and its frame would be waited for without end. */
function mindDecoders(): void {
  const waiting = new Map<string, ReturnType<typeof setTimeout>>();
  const { IMAGE_LOADED, IMAGE_LOAD_FAILED } = Enums.Events;
  eventTarget.addEventListener(BYTES_CAME, (event: Event) => {
    const { imageId } = (event as CustomEvent<{ imageId: string }>).detail;
    const error = new Error("the decoder gave no answer");
    clearTimeout(waiting.get(imageId));
    const late = (): void => void triggerEvent(eventTarget, IMAGE_LOAD_FAILED, { imageId, error });
    waiting.set(imageId, setTimeout(late, DECODED_WITHIN_MS));
  });
  eventTarget.addEventListener(IMAGE_LOADED, (event: Event) => {
    const { imageId } = (event as CustomEvent<{ image: { imageId: string } }>).detail.image;
    clearTimeout(waiting.get(imageId));
    waiting.delete(imageId);
  });
}

/** Cutting anew needs a graphics unit, or a stand-in for one. */
export const canCutAnew = (): boolean => getRenderingCapabilities().webgl;

/**
 * What the file says of the frame, before its pixels are asked for. The loader falls over a file that says no modality; such
 * a one is "other" to it, and to nobody else.
 */
export function describe(imageId: string, json: DicomJson): void {
  const known = (json["00080060"]?.Value?.length ?? 0) > 0;
  const said = withPalette(known ? json : { ...json, "00080060": { vr: "CS", Value: ["OT"] } });
  wadors.metaDataManager.add(imageId, said as Parameters<typeof wadors.metaDataManager.add>[1]);
}

/** Into memory, behind what is being looked at. */
export async function fetchBehind(imageId: string): Promise<void> {
  await imageLoader.loadAndCacheImage(imageId, { requestType: Enums.RequestType.Prefetch, priority: 9 });
}

export const isHere = (imageId: string): boolean => cache.isLoaded(imageId);

export interface Seen {
  /** A frame is wanted; it may have to come first. */
  onAsked: (index: number) => void;
  onDrawn: (index: number) => void;
  onWindow: (center: number, width: number) => void;
  onFault: (index: number, said: string) => void;
}

/** The values from black to white, as PS3.3 C.11.2.1.2.1 has it. */
const rangeOf = (center: number, width: number): Types.VOIRange => ({
  lower: center - 0.5 - (width - 1) / 2,
  upper: center - 0.5 + (width - 1) / 2,
});

interface Failure {
  imageId: string;
  error: unknown;
}

interface VoiDetail {
  range: { lower: number; upper: number };
}

let made = 0;

function group(id: string, primary: ToolName, touch: ToolName): tools.Types.IToolGroup {
  const made = tools.ToolGroupManager.createToolGroup(id);
  if (!made) throw new Error(`tool group: expected ${id} to be new, found one`);
  for (const tool of Object.values(TOOLS)) made.addTool(tool.toolName);
  hold(made, primary, touch);
  return made;
}

/** One tool under the first button and one finger; the rest stays where hands expect it. */
function hold(of: tools.Types.IToolGroup, primary: ToolName, touch: ToolName): void {
  for (const tool of Object.values(TOOLS)) of.setToolPassive(tool.toolName, { removeAllBindings: true });
  const bound = new Map<string, tools.Types.IToolBinding[]>();
  const bind = (name: ToolName, binding: tools.Types.IToolBinding): void => {
    const { toolName } = TOOLS[name];
    bound.set(toolName, [...(bound.get(toolName) ?? []), binding]);
  };
  bind(primary, { mouseButton: MouseBindings.Primary });
  bind(touch, { numTouchPoints: 1 });
  bind("zoom", { mouseButton: MouseBindings.Secondary });
  bind("zoom", { numTouchPoints: 2 });
  bind("pan", { mouseButton: MouseBindings.Auxiliary });
  bind("scroll", { mouseButton: MouseBindings.Wheel });
  for (const [toolName, bindings] of bound) of.setToolActive(toolName, { bindings });
}

/** One series in one element. */
export class StackView {
  private readonly engine: RenderingEngine;
  private readonly id: string;
  private readonly tools: tools.Types.IToolGroup;
  private readonly ending: (() => void)[] = [];
  private ids: readonly string[] = [];

  constructor(
    private readonly element: HTMLDivElement,
    primary: ToolName,
    touch: ToolName,
    private readonly seen: Seen,
  ) {
    begin();
    made += 1;
    this.id = `stack-${made}`;
    this.engine = engineOf();
    this.engine.enableElement({ viewportId: this.id, type: Enums.ViewportType.STACK, element });
    this.tools = group(`tools-${this.id}`, primary, touch);
    this.tools.addViewport(this.id, this.engine.id);
    this.listen();
  }

  private get viewport(): Types.IStackViewport {
    return this.engine.getViewport(this.id) as Types.IStackViewport;
  }

  private listen(): void {
    const { PRE_STACK_NEW_IMAGE, IMAGE_RENDERED, VOI_MODIFIED } = Enums.Events;
    this.hear(PRE_STACK_NEW_IMAGE, (event) =>
      this.seen.onAsked((event as CustomEvent<{ imageIdIndex: number }>).detail.imageIdIndex),
    );
    this.hear(IMAGE_RENDERED, () => {
      // The frame on the canvas, which is not the one that was asked for until that has come.
      const drawn = this.ids.indexOf(this.viewport.getCornerstoneImage()?.imageId ?? "");
      if (drawn >= 0) this.seen.onDrawn(drawn);
    });
    this.hear(VOI_MODIFIED, (event) => {
      const { lower, upper } = (event as CustomEvent<VoiDetail>).detail.range;
      this.seen.onWindow((lower + upper + 1) / 2, upper - lower + 1);
    });
    for (const name of [Enums.Events.IMAGE_LOAD_FAILED, Enums.Events.IMAGE_LOAD_ERROR]) {
      const heard = (event: Event): void => this.failed((event as CustomEvent<Failure>).detail);
      eventTarget.addEventListener(name, heard);
      this.ending.push(() => eventTarget.removeEventListener(name, heard));
    }
    // The second button zooms, and opens no menu.
    this.hear("contextmenu", (event) => event.preventDefault());
    const resized = new ResizeObserver(() => this.engine.resize(true, true));
    resized.observe(this.element);
    this.ending.push(() => resized.disconnect());
  }

  /** Said of frames of any pane: of ours, which one. */
  private failed(failure: Failure): void {
    const index = this.ids.indexOf(failure.imageId);
    if (index >= 0) this.seen.onFault(index, saidOf(failure.error));
  }

  private hear(name: string, heard: (event: Event) => void): void {
    this.element.addEventListener(name, heard);
    this.ending.push(() => this.element.removeEventListener(name, heard));
  }

  /** Shows the frames, whose files were described before, beginning with one of them. */
  async show(imageIds: string[], index: number): Promise<void> {
    this.ids = imageIds;
    try {
      await this.viewport.setStack(imageIds, index);
      this.viewport.render();
    } catch (fault) {
      this.seen.onFault(index, saidOf(fault));
    }
  }

  async goTo(index: number): Promise<void> {
    try {
      await this.viewport.setImageIdIndex(index);
    } catch (fault) {
      this.seen.onFault(index, saidOf(fault));
    }
  }

  setWindow(center: number, width: number): void {
    this.viewport.setProperties({ voiRange: rangeOf(center, width) });
    this.viewport.render();
  }

  invert(): void {
    this.viewport.setProperties({ invert: !this.viewport.getProperties().invert });
    this.viewport.render();
  }

  reset(): void {
    this.viewport.resetCamera();
    this.viewport.resetProperties();
    this.viewport.render();
  }

  use(primary: ToolName, touch: ToolName): void {
    hold(this.tools, primary, touch);
  }

  play(rate_hz: number): void {
    tools.utilities.cine.playClip(this.element, { framesPerSecond: rate_hz, loop: true });
  }

  stop(): void {
    tools.utilities.cine.stopClip(this.element);
  }

  clearMeasures(): void {
    tools.annotation.state.removeAllAnnotations();
    this.viewport.render();
  }

  end(): void {
    this.stop();
    for (const each of this.ending) each();
    // The element first: its going away is heard by the tools, which then still know their group.
    this.engine.disableElement(this.id);
    tools.ToolGroupManager.destroyToolGroup(this.tools.id);
  }
}

export type Plane = "axial" | "coronal" | "sagittal";
const PLANES: Record<Plane, Enums.OrientationAxis> = {
  axial: Enums.OrientationAxis.AXIAL,
  coronal: Enums.OrientationAxis.CORONAL,
  sagittal: Enums.OrientationAxis.SAGITTAL,
};

/** One series as a block, cut along three planes. */
export class PlanesView {
  private readonly engine: RenderingEngine;
  private readonly ids: string[] = [];
  private readonly tools: tools.Types.IToolGroup;
  private readonly resized: ResizeObserver;

  constructor(private readonly elements: Record<Plane, HTMLDivElement>) {
    begin();
    made += 1;
    this.engine = engineOf();
    const inputs = (Object.keys(PLANES) as Plane[]).map((plane) => ({
      viewportId: `${plane}-${made}`,
      type: Enums.ViewportType.ORTHOGRAPHIC,
      element: this.elements[plane],
      defaultOptions: { orientation: PLANES[plane] },
    }));
    for (const input of inputs) this.engine.enableElement(input);
    this.tools = group(`planes-tools-${made}`, "window", "window");
    for (const { viewportId } of inputs) {
      this.ids.push(viewportId);
      this.tools.addViewport(viewportId, this.engine.id);
    }
    this.resized = new ResizeObserver(() => this.engine.resize(true, true));
    for (const element of Object.values(this.elements)) this.resized.observe(element);
  }

  async show(imageIds: string[], window: { center: number; width: number } | null): Promise<void> {
    const volumeId = `cornerstoneStreamingImageVolume:${imageIds[0]}`;
    const volume = await volumeLoader.createAndCacheVolume(volumeId, { imageIds });
    (volume as Types.IImageVolume & { load: () => void }).load();
    await setVolumesForViewports(this.engine, [{ volumeId }], this.ids);
    if (window !== null) this.setWindow(window.center, window.width);
    this.engine.render();
  }

  setWindow(center: number, width: number): void {
    for (const id of this.ids) {
      const viewport = this.engine.getViewport(id) as Types.IVolumeViewport;
      viewport.setProperties({ voiRange: rangeOf(center, width) });
      viewport.render();
    }
  }

  end(): void {
    this.resized.disconnect();
    for (const id of this.ids) this.engine.disableElement(id);
    tools.ToolGroupManager.destroyToolGroup(this.tools.id);
  }
}
