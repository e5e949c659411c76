/** The chain's store groups, asked for by the pages that let a person choose one. */

import { client, taken } from "../api/client.ts";
import { Remote } from "./remote.svelte.ts";

export interface StoreGroup {
  group_id: string;
  name: string;
}

const all = new Remote<StoreGroup[]>();

export const groups = {
  get list(): StoreGroup[] {
    return all.data ?? [];
  },
  load: (): Promise<void> =>
    all.load(async () => (await taken(client.GET("/v1/groups"))).groups),
};
