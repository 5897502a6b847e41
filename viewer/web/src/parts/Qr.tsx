/** A QR code, dark on white in both themes: a camera reads nothing else for sure. */
import type { JSX } from "preact";
import qrcode from "qrcode-generator";

const QUIET = 4; // modules of white around it, as the standard wants

export function Qr({ text, label }: { text: string; label: string }): JSX.Element {
  const code = qrcode(0, "M");
  code.addData(text);
  code.make();
  const count = code.getModuleCount();
  let path = "";
  for (let row = 0; row < count; row++)
    for (let column = 0; column < count; column++)
      if (code.isDark(row, column)) path += `M${column} ${row}h1v1h-1z`;
  const side = count + 2 * QUIET;
  return (
    <svg class="qr" viewBox={`${-QUIET} ${-QUIET} ${side} ${side}`} role="img" aria-label={label}>
      <rect x={-QUIET} y={-QUIET} width={side} height={side} fill="#ffffff" />
      <path d={path} fill="#000000" shape-rendering="crispEdges" />
    </svg>
  );
}
