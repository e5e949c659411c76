/** How the people of the store are called. */
import type { Colleague } from "../api/box.ts";
import { texts } from "./till.svelte.ts";

/** What stands for a role: head office's own name for it, else ours, else its id. */
export function roleText({ role, role_names }: Pick<Colleague, "role" | "role_names">): string {
  return role_names[texts.language] ?? texts.find(`till.role.${role}`) ?? Object.values(role_names)[0] ?? role;
}
