import "reflect-metadata";
import type { GraphQLSchema } from "graphql";
import { buildSchema, type NonEmptyArray, type PubSub } from "type-graphql";
import type { Context } from "../api/context.js";
import { ServerInfoResolver } from "../api/server-info.js";
import type { Feature } from "../feature.js";
import { refusal } from "../util/errors.js";

/** Builds the executable schema of the API. `schema.graphql`, next to `package.json`, is its printed form. */
export function buildApi(features: readonly Feature[]): Promise<GraphQLSchema> {
  const resolvers: NonEmptyArray<NonNullable<Feature["resolvers"]>[number]> = [
    ServerInfoResolver,
    ...features.flatMap((feature) => feature.resolvers ?? []),
  ];
  return buildSchema({
    resolvers,
    // Only their interface refers to them.
    orphanedTypes: features.flatMap(({ events = [] }) => events.map(({ type }) => type)),
    authChecker: ({ context }: { context: Context }) => {
      if (!context.forMany && !context.viewer) throw refusal("UNAUTHENTICATED");
      return true;
    },
    validate: false, // the stores validate, so that a rule holds for every caller
    pubSub: unused,
  });
}

/** type-graphql requires a PubSub as soon as there are subscriptions, but these have their own source. */
const unused: PubSub = {
  publish() {
    throw new Error("subscriptions have their own source; do not use PubSub");
  },
  subscribe() {
    throw new Error("subscriptions have their own source; do not use PubSub");
  },
};
