/** Why a picture is not there, in words; pure. */
import { problemFrom } from "./api";

/** Of what the loader throws: an error, one within another, or the request itself as the service refused it. */
export function saidOf(fault: unknown): string {
  const inner = (fault as { error?: unknown } | null)?.error ?? fault;
  if (isRequest(inner)) return refused(inner);
  return inner instanceof Error ? inner.message : String(inner);
}

const isRequest = (fault: unknown): fault is XMLHttpRequest =>
  typeof (fault as { getResponseHeader?: unknown } | null)?.getResponseHeader === "function";

function refused(request: XMLHttpRequest): string {
  const kind = request.getResponseHeader("content-type");
  const { status, response } = request;
  try {
    return problemFrom(status, kind, typeof response === "string" ? response : plain(response)).reason;
  } catch {
    // The answer was cut short: how it began says less than that it failed.
    return problemFrom(status, null, "").reason;
  }
}

const plain = (bytes: unknown): string =>
  bytes instanceof ArrayBuffer ? new TextDecoder().decode(bytes) : "";
