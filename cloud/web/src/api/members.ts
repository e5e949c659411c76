/** Members; whoever is looked for is named in a body, never in an address. Calls throw ProblemError. */

import { ask } from "./ask.ts";
import type { components } from "./schema.gen.ts";

type Schemas = components["schemas"];
export type Member = Schemas["Member"];
export type MemberRow = Schemas["MemberRow"];
export type MemberCounts = Schemas["MemberCounts"];
export type MemberPersonal = Schemas["MemberPersonal"];
export type MemberCarried = Schemas["MemberCarried"];
export type MemberFields = Partial<Schemas["MemberChange"]>;

const at = (id: string): string => `/v1/members/${encodeURIComponent(id)}`;

export const readMembers = (): Promise<MemberCounts> => ask("GET", "/v1/members");
export const findMember = async (question: {
  phone?: string;
  card?: string;
  currency: string;
}): Promise<Member | null> =>
  (await ask<{ members: Member[] }>("POST", "/v1/members/find", question)).members[0] ?? null;
export const readMember = (id: string): Promise<Member> => ask("GET", at(id));
export const seeMember = (id: string): Promise<MemberPersonal> => ask("POST", `${at(id)}/personal`);
export const joinMember = async (fields: MemberFields, marketing: boolean): Promise<string> => {
  const consents = [
    { purpose: "membership", is_given: true },
    { purpose: "marketing", is_given: marketing },
  ];
  return (await ask<{ member_id: string }>("POST", "/v1/members", { ...fields, consents })).member_id;
};
export const changeMember = (id: string, fields: MemberFields): Promise<unknown> => ask("PUT", at(id), fields);
export const changeConsent = (id: string, purpose: string, is_given: boolean): Promise<unknown> =>
  ask("POST", `${at(id)}/consents`, { purpose, is_given });
export const exportMember = (id: string): Promise<MemberCarried> => ask("POST", `${at(id)}/export`);
export const eraseMember = (id: string, reason: string): Promise<unknown> => ask("POST", `${at(id)}/erase`, { reason });
