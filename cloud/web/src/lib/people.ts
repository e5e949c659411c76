/** Words about people, roles and what they did. */

import { t, texts } from "./app.svelte.ts";
import type { AuditRow } from "../api/people.ts";

/** A built-in role by its translated name, one of the chain's own by its label. */
export function roleName(role: string, label = ""): string {
  return label !== "" ? label : (texts.find(`console.role.${role}`) ?? role);
}

export function permissionName(permission: string): string {
  return texts.find(`console.permission.${permission}`) ?? permission;
}

/** What happened: the log's own acts have a text, an endpoint is told by its permission. */
export function actName(row: AuditRow): string {
  const own = texts.find(`console.act.${row.what}`);
  if (own !== null) return own;
  return row.permission === "" ? row.what : permissionName(row.permission);
}

/** A browser and its system as a person knows them; what is none is shown as it came. */
export function browserName(agent: string): string {
  const browser =
    /(?:Edg|OPR|Firefox|Chrome)\/[\d]+/.exec(agent)?.[0] ?? /Version\/[\d]+ (?=.*Safari)/.exec(agent)?.[0];
  if (browser === undefined) return agent === "" ? t("console.account.no_browser") : agent.slice(0, 40);
  const named = browser
    .trim()
    .replace("Edg/", "Edge ")
    .replace("OPR/", "Opera ")
    .replace("Version/", "Safari ")
    .replace("/", " ");
  const system = /Windows|Android|iPhone|iPad|Mac OS X|Linux/.exec(agent)?.[0];
  return system === undefined ? named : `${named} · ${system.replace("Mac OS X", "macOS")}`;
}
