/** The console's one notice area: toasts for the eye, live regions for the ear. */
import { Notices } from "@tillbox/web/components/notices.svelte.ts";

export const notices = new Notices();
