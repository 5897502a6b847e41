/** Words of the page on detectors that look in silence. Chinese first, English beside it. */
import { speaker } from "./textsLater";

export const DETECTOR_TEXTS = {
  title: ["自动程序静默运行结果", "Detectors in silence"],
  intro: [
    "只供质控和管理员判断能否启用。阅片医生和基层机构看不到,也不影响排序和通知。",
    "For quality staff and administrators who decide whether one may order studies. Who reads, and the clinics, see none of it; no order and no call follows from it.",
  ],
  onlyThese: ["只有质控和管理员可以查看", "For quality staff and administrators"],
  counts: ["各机构统计", "Counts by site"],
  countsOf: [
    "看过 {looked} 例,提示 {raised} 例,未分析 {not} 例(启用前至少静默 {need} 例)",
    "looked at {looked}, raised {raised}, not analysed {not} (at least {need} in silence before it may be on)",
  ],
  all: ["全部", "All"],
  raised: ["有提示", "Raised"],
  notRaised: ["无提示", "Not raised"],
  none: ["没有静默运行的结果", "No result of a detector in silence"],
  reported: ["医生报告", "The radiologist reported"],
  notReported: ["尚未报告", "Not reported yet"],
  wordsNotYours: ["报告文字只对质控显示", "The report's words are for quality staff"],
  noCritical: ["无危急值", "no critical result"],
  listed: ["最近 {n} 条", "The newest {n}"],
} as const satisfies Record<string, readonly [zh: string, en: string]>;

export type DetectorText = keyof typeof DETECTOR_TEXTS;
export const td = speaker<DetectorText>(DETECTOR_TEXTS);
