/**
 * The page's own types beside those of the service's OpenAPI (`openapi.d.ts`, written by `openapi_types.py`). Nothing is
 * computed here: what does not fit does not compile.
 */
import type { components, paths } from "./openapi";

type Schemas = components["schemas"];

/** `/cases/{case_id}/close` as an address with anything in the place of the braces. */
type Filled<Path extends string> = Path extends `${infer Before}{${string}}${infer After}`
  ? `${Before}${string}${Filled<After>}`
  : Path;

type Posted = {
  [Path in keyof paths]: paths[Path] extends { post: object } ? Path : never;
}[keyof paths];

type Under<Path> = Path extends `/api/v1${infer Rest}` ? Filled<Rest> : never;

/** An address under `/api/v1` that a `POST` may go to. */
export type PostPath = Under<Posted>;

/** A body that the service takes by this name. */
export type Body<Name extends keyof Schemas> = Schemas[Name];

/** What the page sends, where it fits what the service takes. */
export type Fits<Ours extends Theirs, Theirs> = Ours;
