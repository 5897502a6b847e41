/** Why images were refused, and what can be done. Chinese first, English beside it. */
import { speaker } from "./textsLater";

export const QUARANTINE_TEXTS = {
  what: ["这是什么图像", "What image is it?"],
  noImage: ["不是可读的影像,可下载查看", "no image that can be read; it can be downloaded"],
  picture: ["被拒收的图像", "the refused image"],
  notShown: ["不能显示,原文件已保留", "cannot be shown; the file is kept"],
  here: ["同一检查号已在 {site} 的病例", "A study of this number is at {site}, in case"],
  noNumber: [
    "图像内没有患者编号,请归入病例",
    "no patient number in the image: name the case that it belongs to",
  ],
  whose: ["查看图像所写的患者", "Whose does it say that it is?"],
  whoseHint: ["用于与机构核对身份,查看会记入日志", "To ask the clinic by; the look is logged"],
  number: ["编号 {n}", "number {n}"],
  advice_identity_conflict: [
    "检查或病例属于另一位患者。请向机构核对:编号改正后可重试,或归入正确的病例;若检查号本身用错,请设备换号重发",
    "The study or the case is of another patient. Ask the clinic: try again once the number is mended, or name the right case; where the study's own number is wrong the machine must send it under a new one",
  ],
  advice_study_of_other_site: [
    "同一检查号已由另一机构上传。请选对机构后重试",
    "A study of this number came from another site: choose the right site and try again",
  ],
  advice_study_in_other_case: [
    "该检查已在另一病例。请选那个病例重试,或先合并病例",
    "The study is in another case already: name that case, or merge the cases first",
  ],
  advice_other_bytes: [
    "同一图像号下已有另一内容,原有的保留。请设备换号重发",
    "Another object is here under the same number, and stays: the machine must send it under a new one",
  ],
  advice_too_large: [
    "超过大小上限,未完整保留。请提高上限后重发",
    "Above the limit of size and not kept whole: raise the limit, then have it sent again",
  ],
} as const satisfies Record<string, readonly [zh: string, en: string]>;

export type QuarantineText = keyof typeof QUARANTINE_TEXTS;
export const tqi = speaker<QuarantineText>(QUARANTINE_TEXTS);
