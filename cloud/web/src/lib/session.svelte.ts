/** Who is signed in, and what they may do. */

import * as api from "../api/calls.ts";
import type { Session } from "../api/types.ts";
import { preferences, texts } from "./app.svelte.ts";

export type Permission =
  | "audit.read"
  | "config.write"
  | "export.read"
  | "fleet.alert"
  | "fleet.command"
  | "fleet.read"
  | "fleet.enrol"
  | "item.read"
  | "item.write"
  | "member.change"
  | "member.erase"
  | "member.export"
  | "member.read"
  | "member.see_personal"
  | "price.write"
  | "publication.publish"
  | "release.approve"
  | "release.policy"
  | "report.read"
  | "software.publish"
  | "store.write"
  | "staff.write"
  | "user.read"
  | "user.write"
  | "work.read"
  | "work.write";

class SignedIn {
  who: Session | null = $state.raw(null);
  /** The session ended by itself; the sign-in screen says so. */
  expired = $state(false);

  /** Take up a session, with the language and look this person chose. */
  async begin(who: Session): Promise<void> {
    preferences.load(who.user);
    await texts.use(preferences.language);
    this.expired = false;
    this.who = who;
  }

  expire(): void {
    this.who = null;
    this.expired = true;
  }

  async end(): Promise<void> {
    try {
      await api.signOut();
    } finally {
      this.who = null;
      this.expired = false;
    }
  }

  may(permission: Permission): boolean {
    return this.who?.permissions.includes(permission) ?? false;
  }

  /** Whether a page is for this person: by its permission, and for an area's person by its reach. */
  sees(page: { permission: Permission | null; forArea?: boolean }): boolean {
    if (this.who?.is_scoped === true && page.forArea !== true) return false;
    return page.permission === null || this.may(page.permission);
  }
}

export const session = new SignedIn();
