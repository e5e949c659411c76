/** The pages of the console: address, name, who may see it, and the code that is loaded for it. */

import type { TextKey } from "@tillbox/web/i18n.ts";
import type { Component } from "svelte";
import type { IconName } from "../ui/icons.ts";
import type { Permission } from "./session.svelte.ts";

export interface Route {
  path: string;
  title: TextKey;
  icon: IconName;
  /** Null: everybody who is signed in. */
  permission: Permission | null;
  /** Whether a person of an area sees it too: it asks for nothing beyond their stores. */
  forArea?: boolean;
  page: () => Promise<{ default: Component }>;
}

export interface RouteGroup {
  title: TextKey;
  routes: readonly Route[];
}

export const GROUPS: readonly RouteGroup[] = [
  {
    title: "console.nav.trade",
    routes: [
      {
        path: "/",
        title: "console.overview.title",
        icon: "grid",
        permission: "report.read",
        forArea: true,
        page: () => import("../pages/Overview.svelte"),
      },
      {
        path: "/daily-close",
        title: "console.close.title",
        icon: "calendar",
        permission: "report.read",
        forArea: true,
        page: () => import("../pages/DailyClose.svelte"),
      },
      {
        path: "/work-items",
        title: "console.work.title",
        icon: "inbox",
        permission: "work.read",
        page: () => import("../pages/WorkItems.svelte"),
      },
      {
        path: "/shelves",
        title: "console.shelves.title",
        icon: "box",
        permission: "report.read",
        page: () => import("../pages/Shelves.svelte"),
      },
    ],
  },
  {
    title: "console.nav.goods",
    routes: [
      {
        path: "/catalogue",
        title: "console.catalogue.title",
        icon: "tag",
        permission: "item.read",
        page: () => import("../pages/Catalogue.svelte"),
      },
      {
        path: "/promotions",
        title: "console.promotions.title",
        icon: "coupon",
        permission: "item.read",
        page: () => import("../pages/Promotions.svelte"),
      },
      {
        path: "/import",
        title: "console.import.title",
        icon: "upload",
        permission: "item.read",
        page: () => import("../pages/Import.svelte"),
      },
      {
        path: "/releases",
        title: "console.releases.title",
        icon: "publish",
        permission: "item.read",
        page: () => import("../pages/Releases.svelte"),
      },
    ],
  },
  {
    title: "console.nav.chain",
    routes: [
      {
        path: "/masters",
        title: "console.masters.title",
        icon: "settings",
        permission: "item.read",
        page: () => import("../pages/Masters.svelte"),
      },
      {
        path: "/staff",
        title: "console.staff.title",
        icon: "person",
        permission: "staff.write",
        page: () => import("../pages/Staff.svelte"),
      },
      {
        path: "/members",
        title: "console.members.title",
        icon: "person",
        permission: "member.read",
        page: () => import("../pages/Members.svelte"),
      },
      {
        path: "/convergence",
        title: "console.convergence.title",
        icon: "target",
        permission: "fleet.read",
        page: () => import("../pages/Convergence.svelte"),
      },
      {
        path: "/fleet",
        title: "console.fleet.title",
        icon: "box",
        permission: "fleet.read",
        page: () => import("../pages/Fleet.svelte"),
      },
      {
        path: "/alerts",
        title: "console.alerts.title",
        icon: "alert",
        permission: "fleet.read",
        page: () => import("../pages/Alerts.svelte"),
      },
      {
        path: "/stores",
        title: "console.stores.title",
        icon: "store",
        permission: "fleet.read",
        forArea: true,
        page: () => import("../pages/Stores.svelte"),
      },
      {
        path: "/software",
        title: "console.software.title",
        icon: "download",
        permission: "fleet.read",
        page: () => import("../pages/Software.svelte"),
      },
    ],
  },
  {
    title: "console.nav.system",
    routes: [
      {
        path: "/people",
        title: "console.people.title",
        icon: "person",
        permission: "user.read",
        page: () => import("../pages/People.svelte"),
      },
      {
        path: "/audit",
        title: "console.audit.title",
        icon: "history",
        permission: "audit.read",
        page: () => import("../pages/Audit.svelte"),
      },
    ],
  },
];

/** One's own account: everybody has one, at the foot of the navigation. */
const ACCOUNT: Route = {
  path: "/account",
  title: "console.account.title",
  icon: "lock",
  permission: null,
  forArea: true,
  page: () => import("../pages/Account.svelte"),
};

export const ROUTES: readonly Route[] = [...GROUPS.flatMap((group) => group.routes), ACCOUNT];
