/** Whose images are these: what was filed to the wrong patient, and names that may be read wrongly. Chinese first. */
import { speaker } from "./textsLater";

const MOVE_TEXTS = {
  title: ["归错患者?移到另一病例", "Wrong patient? Move to another case"],
  hint: [
    "心电图、影像及其报告一同移走;已签发的影像报告须由影像医师重新确认,危急值须重新告知。图像文件本身不改,其中的姓名和编号仍是原来的。",
    "ECGs, images and their reports move together. A signed imaging report must be confirmed anew by a radiologist, and critical results told anew. The files stay as they are, with the names and numbers in them.",
  ],
  target: ["移到", "Move to"],
  newCase: ["新病例(患者未知)", "A new case (patient unknown)"],
  otherCase: ["其他病例:填写病例号", "Another case: its number"],
  caseId: ["病例号", "Case number"],
  ecg: ["心电图", "ECG"],
  images: ["影像", "Images"],
  move: ["移走所选 {n} 项", "Move these: {n}"],
  carried: [
    "报告签发时该检查归在另一患者名下,{who} 于 {at} 改归本患者,尚未重新确认",
    "Signed while the study was filed to another patient; moved here by {who} {at}, and not confirmed anew",
  ],
  confirmHint: [
    "请核对患者后,在补充报告中选择“确认”签发。",
    "Check the patient, then sign an addendum of the kind “confirmation”.",
  ],
  namesOther: [
    "人工改归本患者;图像文件内仍是原来的姓名和编号",
    "moved to this patient by a person; the files still carry the name and number they came with",
  ],
  charsetAssumed: [
    "文件未如实注明字符集,姓名和描述按 {charset} 显示,请核对",
    "the files name no true charset: names and descriptions are shown as {charset}, please check",
  ],
  charsetDoubtful: [
    "文件的字符集可疑,姓名和描述可能显示有误,请核对",
    "the charset of the files is doubtful: names and descriptions may be shown wrongly, please check",
  ],
} as const satisfies Record<string, readonly [zh: string, en: string]>;

export const tm = speaker(MOVE_TEXTS);
