/**
 * One act gives its place to the next: the answer becomes the green channel, the first alert of the banner the second. A
 * second press of tired or gloved hands would then do what nobody has read. So an act that appears where another was
 * pressed a moment ago takes no press at first.
 */
import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** How long a new act at an old place takes no press. */
export const GUARD_MS = 800;
/** For how long a press counts as the reason for what appears: a slow line answers late. */
const BECAUSE_MS = 15_000;
/** How far a hand strays, in CSS pixels. */
const STRAY_PX = 24;

export interface Press {
  name: string;
  at_ms: number;
  x: number;
  y: number;
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

let last: Press | null = null;
/** Where the act stood that was pressed last. */
let stood: Box | null = null;

const within = (box: Box, x: number, y: number): boolean =>
  x >= box.left - STRAY_PX &&
  x <= box.right + STRAY_PX &&
  y >= box.top - STRAY_PX &&
  y <= box.bottom + STRAY_PX;

/** A hand that has been elsewhere since means what it presses. */
export function handAt(x: number, y: number): void {
  if (stood !== null && !within(stood, x, y)) last = stood = null;
}

if (typeof document !== "undefined")
  document.addEventListener("pointerdown", ({ clientX, clientY }) => handAt(clientX, clientY), true);

/** An act was pressed; `box` is where it stood. */
export function pressed(name: string, box: Box, now_ms = performance.now()): void {
  last = { name, at_ms: now_ms, x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 };
  stood = box;
}

/** May an act that appears now be there because another was pressed? */
const lately = (press: Press | null, name: string, now_ms: number): press is Press =>
  press !== null && press.name !== name && now_ms - press.at_ms <= BECAUSE_MS;

/** Does an act that appears now stand where another was pressed lately? */
export function standsInFor(press: Press | null, name: string, box: Box, now_ms: number): boolean {
  if (!lately(press, name, now_ms)) return false;
  return within(box, press.x, press.y);
}

/** Is this press of an act one more of those that another act was meant by, at the same place? */
export function goesOn(press: Press | null, name: string, box: Box, now_ms: number): boolean {
  return press !== null && now_ms - press.at_ms < GUARD_MS && standsInFor(press, name, box, now_ms);
}

interface Guard {
  /** It takes no press yet. */
  guarded: boolean;
  /** It was pressed: whether that counts. */
  takes: (box: Box) => boolean;
}

/** Of the act `name`, which may appear, become another, or be moved under the hand by what goes away over it. */
export function useGuard(button: RefObject<HTMLButtonElement | null>, name: string): Guard {
  const [guarded, setGuarded] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const minded = useRef<Press | null>(null);
  const named = useRef(name);
  const release = (): void => {
    clearTimeout(timer.current);
    setGuarded(false);
  };
  const hold = (): void => {
    minded.current = last;
    clearTimeout(timer.current);
    timer.current = setTimeout(release, GUARD_MS);
    setGuarded(true);
  };
  // After each drawing, since what moves an act draws it anew.
  useLayoutEffect(() => {
    if (named.current !== name) {
      named.current = name;
      minded.current = null;
      release();
    }
    const now_ms = performance.now();
    // Where a row stands is not asked of the browser without need: there may be hundreds.
    if (last === minded.current || !lately(last, name, now_ms)) return;
    const box = button.current?.getBoundingClientRect();
    if (box !== undefined && standsInFor(last, name, box, now_ms)) hold();
  });
  useLayoutEffect(() => () => clearTimeout(timer.current), []);
  const takes = (box: Box): boolean => {
    const now_ms = performance.now();
    if (!guarded && !goesOn(last, name, box, now_ms)) {
      pressed(name, box, now_ms);
      return true;
    }
    if (last !== null) last = { ...last, at_ms: now_ms };
    hold();
    return false;
  };
  return { guarded, takes };
}
