/** Words of drills. Chinese first, English beside it. */

export const DRILL_TEXTS = {
  drillPage: ["演练", "Drill"],
  drillMark: ["【演练】", "[DRILL] "],
  drillBar: [
    "有演练进行中:只有带【演练】字样和斜纹边的病例不是真实患者",
    "A drill is under way: only cases with the word Drill and a hatched edge are no real patients",
  ],
  drillBarUntil: ["{site} · 最迟 {at} 结束", "{site} · ends by {at}"],
  drillHere: ["演练 · 不是真实患者", "DRILL · no real patient"],
  drillOver: ["演练已结束", "The drill is over"],
} as const satisfies Record<string, readonly [zh: string, en: string]>;
