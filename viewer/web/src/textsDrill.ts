/** Words of drills. Chinese first, English beside it. */

export const DRILL_TEXTS = {
  drillPage: ["演练", "Drill"],
  drillMark: ["【演练】", "[DRILL] "],
  drillBar: ["演练进行中,不是真实患者", "A drill is under way: no real patient"],
  drillBarUntil: ["{site} · 最迟 {at} 结束", "{site} · ends by {at}"],
  drillHere: ["演练 · 不是真实患者", "DRILL · no real patient"],
  drillOver: ["演练已结束", "The drill is over"],
} as const satisfies Record<string, readonly [zh: string, en: string]>;
