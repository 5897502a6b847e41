/** Ask for images of the patient of a case: they stand in the worklist of the site's machines until they have come. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { orderImages } from "../state/imageAsk";
import { may, me } from "../state/session";
import { type ImageAskText, tia } from "../textsImageAsk";
import { Act } from "./bits";

const KINDS = ["CT", "DX", "CR", "US", "MR"] as const;
const BODY = ["HEAD", "CHEST", "ABDOMEN", "HEART", "SPINE", "PELVIS"] as const;
const PRIORITIES = ["STAT", "HIGH", "ROUTINE"] as const;

interface Choice {
  words: ImageAskText;
  options: readonly string[];
  prefix: "kind_" | "part_" | "priority_";
  value: string;
  set: (value: string) => void;
  testid: string;
}

function Chosen({ words, options, prefix, value, set, testid }: Choice): JSX.Element {
  return (
    <label>
      {tia(words)}
      <select value={value} data-testid={testid} onChange={(event) => set(event.currentTarget.value)}>
        {options.map((one) => (
          <option key={one} value={one}>
            {tia(`${prefix}${one}` as ImageAskText)}
          </option>
        ))}
      </select>
    </label>
  );
}

export function OrderImages({ caseId }: { caseId: string }): JSX.Element | null {
  const [modality, setModality] = useState<string>("CT");
  const [part, setPart] = useState<string>("HEAD");
  const [priority, setPriority] = useState<string>("ROUTINE");
  const [ref, setRef] = useState("");
  const [reason, setReason] = useState("");
  const [made, setMade] = useState<string | null>(null);
  if (!may("send", me.value?.user.role)) return null;
  const ask = async (): Promise<void> => {
    const order = await orderImages({
      case_id: caseId,
      patient_ref: ref.trim(),
      modality,
      body_part: part,
      reason: reason.trim() || null,
      priority,
    });
    if (!order) return;
    setMade(order.accession);
    setReason("");
  };
  return (
    <details class="card screen-only" data-testid="order-images">
      <summary>
        <b>{tia("orderNew")}</b>
      </summary>
      <div class="order-form">
        <Chosen
          words="orderModality"
          options={KINDS}
          prefix="kind_"
          value={modality}
          set={setModality}
          testid="order-modality"
        />
        <Chosen
          words="orderPart"
          options={BODY}
          prefix="part_"
          value={part}
          set={setPart}
          testid="order-part"
        />
        <Chosen
          words="orderPriority"
          options={PRIORITIES}
          prefix="priority_"
          value={priority}
          set={setPriority}
          testid="order-priority"
        />
        <label>
          <span>
            {tia("orderRef")} <span class="muted">· {tia("orderRefHint")}</span>
          </span>
          <input
            value={ref}
            maxLength={64}
            data-testid="order-ref"
            onInput={(event) => setRef(event.currentTarget.value)}
          />
        </label>
        <label>
          {tia("orderReason")}
          <input
            value={reason}
            maxLength={500}
            data-testid="order-reason"
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
      </div>
      <p class="acts">
        <Act
          name={`order ${caseId}`}
          kind="strong"
          testid="order-send"
          disabled={ref.trim() === ""}
          run={() => void ask()}
        >
          {tia("orderSend")}
        </Act>
      </p>
      {made && (
        <p role="status" data-testid="order-made">
          ✓ {tia("orderMade", { id: made })}
        </p>
      )}
    </details>
  );
}
