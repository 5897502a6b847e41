/** Words of the page of drills. Chinese first, English beside it. */
import { speaker } from "./textsLater";

export const DRILL_PAGE_TEXTS = {
  title: ["演练", "Drill"],
  intro: [
    "演练会用真实的联系方式呼叫当班人员。每个页面、消息、打印件都标有“演练”,不计入质控和随访,排在真实病例之后;同一机构的真实心电图照常报警。",
    "A drill rings the people on duty on their real channels. Every page, message and print says DRILL; it counts in no quality figure and no follow-up, stands below real cases, and a real ECG of the same site rings as always.",
  ],
  running: ["进行中的演练", "Under way"],
  none: ["没有进行中的演练", "No drill is under way"],
  by: ["{who} 发起于 {at}", "started by {who} at {at}"],
  until: ["{at} 自动结束,还有 {left}", "ends by itself at {at}, in {left}"],
  end: ["结束演练", "End the drill"],
  open: ["打开", "Open"],
  start: ["发起演练", "Start a drill"],
  startSure: ["确认:现在呼叫当班人员", "Ring the people on duty now"],
  site: ["机构", "Site"],
  scenario: ["心电图(合成)", "ECG (synthetic)"],
  minutes: ["时长(分钟,{least}–{most})", "Length (minutes, {least}–{most})"],
  mayNot: ["只有管理员或当班主任可以发起演练", "Only an administrator or the head of duty may start a drill"],
  tell: ["请事先告知参加人员。", "Tell those who take part beforehand."],
} as const satisfies Record<string, readonly [zh: string, en: string]>;

export const td = speaker<keyof typeof DRILL_PAGE_TEXTS>(DRILL_PAGE_TEXTS);
