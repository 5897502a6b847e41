/** Words of what went wrong: what happened, what is safe, what to do. Chinese first, English beside it. */

export const PROBLEM_TEXTS = {
  problemNetwork: [
    "没有得到服务的回应,这一步可能没有完成。已显示的内容不会丢失。请检查网络,看过最新状态后再试;紧急请打电话。",
    "No answer from the service: this step may not have been done. What is shown is kept. Check the network, look at the newest state and try again; if urgent, telephone.",
  ],
  problemSession: [
    "登录已过期,这一步没有完成。请重新登录后再试。",
    "Your session has ended; this step was not done. Sign in again and repeat it.",
  ],
  problemRight: [
    "您的角色不能做这一步,没有任何改变。请联系有权限的同事。",
    "Your role may not do this; nothing was changed. Ask a colleague who may.",
  ],
  problemGone: [
    "没有找到,或您无权查看。没有任何改变。请返回列表。",
    "Not found, or not yours to see. Nothing was changed. Go back to the board.",
  ],
  problemConflict: [
    "与已有记录冲突,没有任何改变。请看最新状态后再决定。",
    "This conflicts with what is recorded; nothing was changed. Look at the newest state first.",
  ],
  problemLarge: [
    "文件太大,没有接收。请发送原始心电图文件。",
    "The file is too large and was not taken. Send the original ECG file.",
  ],
  problemFile: [
    "这个文件读不出心电图,没有接收。可以读的有:DICOM(.dcm)、WFDB(.hea + .dat,可放进一个 .zip)、SCP-ECG(.scp)、HL7 aECG、MUSE、飞利浦、CardioSoft、Schiller 的 XML、MFER(.mwf)、EDF(.edf)、ISHNE、HL7 v2、FHIR、CSV。心电图的照片和 PDF 也收,由医生看,不能自动分析。",
    "No ECG can be read from this file; it was not taken. These are read: DICOM (.dcm), WFDB (.hea + .dat, also in one .zip), SCP-ECG (.scp), XML of HL7 aECG, MUSE, Philips, CardioSoft and Schiller, MFER (.mwf), EDF (.edf), ISHNE, HL7 v2, FHIR, CSV. A photo or PDF of an ECG is taken too; a doctor reads it, it cannot be analysed.",
  ],
  problemOften: [
    "操作太频繁,这一步没有完成。请稍等几秒再试。",
    "Too many calls; this step was not done. Wait a few seconds.",
  ],
  problemServer: [
    "服务出错,这一步没有完成。之前的记录是安全的。请再试;紧急请打电话。",
    "The service failed; this step was not done. Earlier records are safe. Try again; if urgent, telephone.",
  ],
  problemRefused: ["服务没有接受,没有任何改变。", "The service refused this; nothing was changed."],
  problemExpected: ["应为 {expected},收到 {got}", "expected {expected}, got {got}"],
} as const satisfies Record<string, readonly [zh: string, en: string]>;
