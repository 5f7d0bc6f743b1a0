import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isNonNullType,
  isObjectType,
  isSpecifiedScalarType,
  printSchema,
} from "graphql";
import { expect, it } from "vitest";
import type { Repetition } from "../../src/api/repeatable.js";
import { features } from "../../src/features.js";
import { buildApi } from "../../src/program/schema.js";

it("[API1] serves the schema in schema.graphql, which the page's copy equals", async () => {
  const schema = `${printSchema(await buildApi(features))}\n`;
  await expect(schema).toMatchFileSnapshot("../../schema.graphql");
  await expect(schema).toMatchFileSnapshot("../../client-example/schema.graphql");
});

it("[API2] describes every type, field, argument and enum value", async () => {
  const schema = await buildApi(features);
  const own = Object.values(schema.getTypeMap()).filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type));
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const undescribed = own.flatMap((type) => [
    ...(type.description || roots.includes(type as never) ? [] : [type.name]),
    ...undescribedIn(type),
  ]);
  expect(undescribed).toEqual([]);
});

it("[R4] declares for every mutation what a retry does, and which argument makes it safe", async () => {
  const mutations = Object.values((await buildApi(features)).getMutationType()?.getFields() ?? {});
  const unsaid = mutations.filter(({ extensions, args }) => {
    const repetition = extensions.repetition as Repetition | undefined;
    if (repetition === undefined) return true;
    return typeof repetition === "object" && "safeWith" in repetition && !args.some(({ name }) => name === repetition.safeWith);
  });
  expect(unsaid.map(({ name }) => name)).toEqual([]);
});

it("[R8] makes every field that can fail nullable, except subscriptions, which end instead", async () => {
  const schema = await buildApi(features);
  const [queries, mutations, subscriptions] = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].map((type) =>
    Object.values(type?.getFields() ?? {}),
  );
  const strict = (fields: GraphQLField<unknown, unknown>[] = []) =>
    fields.filter(({ type }) => isNonNullType(type)).map(({ name }) => name);
  expect(strict(queries)).toEqual(["server"]); // public, and independent of Redis
  expect(strict(mutations)).toEqual([]);
  expect(strict(subscriptions)).toHaveLength(subscriptions?.length ?? 0);
  const nested = Object.values(schema.getTypeMap()).flatMap((type) =>
    isObjectType(type) && type !== schema.getSubscriptionType() ? Object.values(type.getFields()) : [],
  );
  expect(strict(nested.filter(({ description }) => /\berrors?\b/i.test(description ?? "")))).toEqual([]);
});

function undescribedIn(type: GraphQLNamedType): string[] {
  if (isEnumType(type)) return type.getValues().flatMap(({ name, description }) => (description ? [] : [`${type.name}.${name}`]));
  if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) return [];
  return Object.values(type.getFields()).flatMap((field) => [
    ...(field.description ? [] : [`${type.name}.${field.name}`]),
    ...argumentsOf(field).flatMap(({ name, description }) => (description ? [] : [`${type.name}.${field.name}(${name}:)`])),
  ]);
}

function argumentsOf(field: GraphQLField<unknown, unknown> | GraphQLInputField): readonly GraphQLArgument[] {
  return "args" in field ? field.args : [];
}
