/** Pictures of goods; each call throws ProblemError. */

import { ask, send } from "./ask.ts";

/** Keep a picture; `image` is what an item names it by. */
export const sendPicture = (file: Blob): Promise<{ image: string }> => send("/v1/pictures", file);
/** Give an item a picture that was kept, or none with "". */
export const putPicture = (gtin: string, image: string): Promise<unknown> =>
  ask("PUT", `/v1/items/${encodeURIComponent(gtin)}/picture`, { image });
