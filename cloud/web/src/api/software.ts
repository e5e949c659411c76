/** The boxes' software: versions, rollouts, and what each box runs. */

import { set, type Loose } from "./calls.ts";
import { client, taken } from "./client.ts";
import type { components, operations } from "./schema.gen.ts";

type Schemas = components["schemas"];

export type Software = Schemas["Software"];
export type Version = Schemas["Version"];
export type Rollout = Schemas["Rollout"];
export type BoxPage = Schemas["BoxPage"];
export type BoxRow = Schemas["BoxRow"];
export type RolloutRequest = Required<Schemas["RolloutRequest"]>;
export type RolloutEvents = Schemas["Events"];
export type Stop = "halt" | "resume" | "cancel";

type Asked<Name extends keyof operations> = NonNullable<operations[Name]["parameters"]["query"]>;
export type BoxFilter = Loose<Asked<"boxes_v1_software_boxes_get">>;

export const readSoftware = (): Promise<Software> => taken(client.GET("/v1/software"));
export const listBoxes = (filter: BoxFilter): Promise<BoxPage> =>
  taken(client.GET("/v1/software/boxes", { params: { query: set(filter) } }));
export const listEvents = (id: number): Promise<RolloutEvents> =>
  taken(client.GET("/v1/software/rollouts/{rollout_id}/events", { params: { path: { rollout_id: id } } }));
export const publish = (request: RolloutRequest): Promise<Rollout> =>
  taken(client.POST("/v1/software/rollouts", { body: request }));
export const change = (id: number, stop: Stop, reason: string): Promise<Rollout> =>
  taken(
    client.POST(`/v1/software/rollouts/{rollout_id}/${stop}`, {
      params: { path: { rollout_id: id } },
      body: { reason },
    }),
  );
