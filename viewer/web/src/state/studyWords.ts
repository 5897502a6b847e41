/** What a study is of, in words. Pure. */
import type { CaseImage } from "../wireImage";

/** Part of the body and description; many machines write the one as the other, too. */
export const studyWords = ({
  body_part,
  description,
}: Pick<CaseImage, "body_part" | "description">): string =>
  [...new Set([body_part, description].map((one) => one?.trim()).filter(Boolean))].join(" ");
