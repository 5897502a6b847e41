/** What the browser prints while an ECG is on the screen: its sheet in true size, and nothing else of the page. */

let make: (() => string) | null = null;
let shown: HTMLElement | null = null;

/** Until it is taken back, printing the page prints this sheet. */
export function offerSheet(svg: () => string): () => void {
  make = svg;
  return () => {
    if (make === svg) make = null;
  };
}

function before(): void {
  after();
  if (make === null) return;
  shown = document.createElement("div");
  shown.className = "print-sheet";
  shown.innerHTML = make();
  document.body.append(shown);
}

function after(): void {
  shown?.remove();
  shown = null;
}

addEventListener("beforeprint", before);
addEventListener("afterprint", after);
