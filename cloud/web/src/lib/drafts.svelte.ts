/** What waits to be published, for the pages that change it and the page that sends it. */
import * as api from "../api/calls.ts";
import type { Draft } from "../api/types.ts";
import { Remote } from "./remote.svelte.ts";

export const draft = new Remote<Draft>();

export const reloadDraft = (): Promise<void> => draft.load(api.readDraft);
