/** Releases: what the cloud answers about them, and what may be asked of it. */

import type { Verb } from "../lib/release_words.ts";
import { set, type Loose } from "./calls.ts";
import { client, taken } from "./client.ts";
import type { components, operations } from "./schema.gen.ts";

type Schemas = components["schemas"];

export type ReleaseRow = Schemas["ReleaseRow"];
export type ReleasePage = Schemas["Releases"];
export type Release = Schemas["Release"];
export type Wave = Schemas["cloud__release__schemas__Wave"];
export type Guard = Schemas["Guard"];
export type ReleaseEvent = Schemas["ReleaseEvent"];
export type ReleaseStores = Schemas["ReleaseStores"];
export type Preview = Schemas["Preview"];
export type Move = Preview["moves"][number];
export type Simulation = Schemas["Simulation"];
export type GuardSetting = Schemas["GuardSetting"];
/** A wave of a plan; of the three ways to name its stores one is not null. */
export type PlanWave = Required<Schemas["WavePlan"]>;
type Plans = { plan: PlanWave[]; undo_plan: PlanWave[] };
export type Policy = Required<Omit<Schemas["Policy"], keyof Plans>> & Plans;
export type StoredPolicy = Required<Omit<Schemas["StoredPolicy"], keyof Plans>> & Plans;
export type ReleaseRequest = Schemas["ReleaseRequest"];

type Asked<Name extends keyof operations> = NonNullable<operations[Name]["parameters"]["query"]>;
export type ReleaseFilter = Loose<Asked<"releases_v1_releases_get">>;
export type StoreFilter = Loose<Asked<"stores_v1_releases__release_id__stores_get">>;

const of = (id: number) => ({ path: { release_id: id } });

export const listReleases = (filter: ReleaseFilter): Promise<ReleasePage> =>
  taken(client.GET("/v1/releases", { params: { query: set(filter) } }));
export const readRelease = (id: number): Promise<Release> =>
  taken(client.GET("/v1/releases/{release_id}", { params: of(id) }));
export const previewDraft = (): Promise<Preview> => taken(client.GET("/v1/releases/draft/preview"));
export const previewRelease = (id: number): Promise<Preview> =>
  taken(client.GET("/v1/releases/{release_id}/preview", { params: of(id) }));
export const submitRelease = (request: ReleaseRequest): Promise<Release> =>
  taken(client.POST("/v1/releases", { body: request }));
export const actOn = (id: number, verb: Verb, reason: string): Promise<Release> =>
  taken(client.POST(`/v1/releases/{release_id}/${verb}`, { params: of(id), body: { reason } }));
export const listReleaseStores = (id: number, filter: StoreFilter): Promise<ReleaseStores> =>
  taken(client.GET("/v1/releases/{release_id}/stores", { params: { ...of(id), query: set(filter) } }));

export const readPolicy = async (): Promise<StoredPolicy> => whole(await taken(client.GET("/v1/release-policy")));
export const savePolicy = async (policy: Policy): Promise<StoredPolicy> =>
  whole(await taken(client.PUT("/v1/release-policy", { body: policy })));
export const readGuards = async (): Promise<GuardSetting[]> =>
  (await taken(client.GET("/v1/release-guards"))).guards;
export const saveGuards = async (guards: GuardSetting[]): Promise<GuardSetting[]> =>
  (await taken(client.PUT("/v1/release-guards", { body: { guards } }))).guards;

function whole(policy: Schemas["StoredPolicy"]): StoredPolicy {
  const none = { percent: null, group: null, stores: null };
  const waves = (plan: Schemas["WavePlan"][]): PlanWave[] => plan.map((wave) => ({ ...none, ...wave }));
  return { ...policy, plan: waves(policy.plan), undo_plan: waves(policy.undo_plan) };
}
