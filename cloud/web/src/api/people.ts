/** Signing in, one's own account, users, roles and the audit log; each call throws ProblemError. */

import { client, taken } from "./client.ts";
import { set, type Loose } from "./calls.ts";
import type { components, operations } from "./schema.gen.ts";
import type { Session } from "./types.ts";

type Schemas = components["schemas"];
export type SignInWays = Schemas["SignInWays"];
export type Account = Schemas["Account"];
export type TotpOffer = Schemas["TotpOffer"];
export type User = Schemas["User"];
export type UserFields = Schemas["UserFields"];
export type NewUser = Schemas["NewUser"];
export type Roles = Schemas["cloud__identity__schemas__Roles"];
export type Role = Roles["roles"][number];
export type RoleFields = Schemas["RoleFields"];
export type AuditPage = Schemas["AuditPage"];
export type AuditRow = Schemas["AuditRow"];
export type Language = Schemas["ResetRequest"]["language"];

export const signInWays = (): Promise<SignInWays> => taken(client.GET("/v1/sign-in"));
export const signIn = (user: string, password: string, code: string): Promise<Session> =>
  taken(client.POST("/v1/session", { body: { user, password, code } }));
export const confirmSession = (password: string, code: string): Promise<unknown> =>
  taken(client.POST("/v1/session/confirm", { body: { password, code } }));
export const askReset = (user: string, language: Language): Promise<unknown> =>
  taken(client.POST("/v1/password-reset", { body: { user, language } }));
export const finishReset = (token: string, password: string): Promise<unknown> =>
  taken(client.POST("/v1/password-reset/finish", { body: { token, password } }));

export const readAccount = (): Promise<Account> => taken(client.GET("/v1/account"));
export const changePassword = (old: string, next: string): Promise<unknown> =>
  taken(client.PUT("/v1/account/password", { body: { old, new: next } }));
export const offerTotp = (): Promise<TotpOffer> => taken(client.POST("/v1/account/totp"));
export const enrolTotp = async (code: string): Promise<string[]> =>
  (await taken(client.PUT("/v1/account/totp", { body: { code } }))).codes;
export const dropTotp = (): Promise<unknown> => taken(client.DELETE("/v1/account/totp"));
export const renewCodes = async (): Promise<string[]> =>
  (await taken(client.POST("/v1/account/recovery-codes"))).codes;
export const endSession = (session: string): Promise<unknown> =>
  taken(client.DELETE("/v1/account/sessions/{session}", { params: { path: { session } } }));
export const endOtherSessions = (): Promise<unknown> => taken(client.DELETE("/v1/account/sessions"));

export const listUsers = async (): Promise<User[]> => (await taken(client.GET("/v1/users"))).users;
/** Answers the link to hand on where no mail could be sent, else "". */
export const inviteUser = async (body: NewUser): Promise<string> =>
  (await taken(client.POST("/v1/users", { body }))).link;
const of = (user: string): { params: { path: { user: string } } } => ({ params: { path: { user } } });
export const changeUser = (user: string, body: UserFields): Promise<unknown> =>
  taken(client.PUT("/v1/users/{user}", { ...of(user), body }));
export const sendLink = async (user: string): Promise<string> =>
  (await taken(client.POST("/v1/users/{user}/link", of(user)))).link;
export const dropFactor = (user: string): Promise<unknown> =>
  taken(client.DELETE("/v1/users/{user}/totp", of(user)));
export const endSessions = (user: string): Promise<unknown> =>
  taken(client.DELETE("/v1/users/{user}/sessions", of(user)));
export const listRoles = (): Promise<Roles> => taken(client.GET("/v1/roles"));
export const putRole = (role: string, body: RoleFields): Promise<unknown> =>
  taken(client.PUT("/v1/roles/{role}", { params: { path: { role } }, body }));
export const dropRole = (role: string): Promise<unknown> =>
  taken(client.DELETE("/v1/roles/{role}", { params: { path: { role } } }));

export type AuditFilter = Loose<NonNullable<operations["audit_rows_v1_audit_get"]["parameters"]["query"]>>;
export const readAudit = (filter: AuditFilter): Promise<AuditPage> =>
  taken(client.GET("/v1/audit", { params: { query: set(filter) } }));
