import { readFileSync } from "node:fs";
import {
  buildSchema,
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  getNamedType,
  getNullableType,
  isCompositeType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
} from "graphql";
import type { Random } from "./random.js";

const schema = buildSchema(readFileSync(new URL("../../schema.graphql", import.meta.url), "utf8"));

export interface Operation {
  kind: "query" | "mutation" | "subscription";
  query: string;
  variables: Record<string, unknown> | null | undefined;
  operationName: string | null | undefined;
}

/** Generates operations of the schema: mostly valid ones, with directives, fragments and variables wherever they are allowed. */
export class OperationMaker {
  readonly #random: Random;
  readonly #values: Record<string, readonly unknown[]>;
  readonly #without: ReadonlySet<string>;
  #variables: Record<string, unknown> = {};
  #declared: string[] = [];
  #fragments: string[] = [];

  /**
   * @param values candidate values of arguments, by the argument's name or its type's name
   * @param without root fields to leave out
   */
  constructor(random: Random, values: Record<string, readonly unknown[]>, without: readonly string[]) {
    this.#random = random;
    this.#values = values;
    this.#without = new Set(without);
  }

  operation(): Operation {
    const random = this.#random;
    this.#variables = {};
    this.#declared = [];
    this.#fragments = [];
    const kind = random.pick(["query", "mutation", "subscription", "subscription"] as const);
    const type = { query: schema.getQueryType(), mutation: schema.getMutationType(), subscription: schema.getSubscriptionType() }[kind];
    const selection = this.#selection(
      type as GraphQLCompositeType,
      random.integer(1, 3),
      kind === "subscription" ? 1 : random.integer(1, 3),
    );
    const name = random.chance(0.5) ? "Op" : "";
    const declared = this.#declared.length > 0 ? `(${this.#declared.join(", ")})` : "";
    const others = name !== "" && random.chance(0.2) ? " query Other { me { id } }" : "";
    return {
      kind,
      query: `${kind} ${name}${declared} ${selection}${others} ${this.#fragments.join(" ")}`,
      variables: Object.keys(this.#variables).length > 0 ? this.#variables : random.pick([undefined, null, {}, { unused: 1 }]),
      operationName: name !== "" && (others !== "" || random.chance(0.5)) ? name : random.pick([undefined, null, ""]),
    };
  }

  #selection(type: GraphQLCompositeType, depth: number, count: number): string {
    const random = this.#random;
    const fields =
      "getFields" in type
        ? Object.values(type.getFields()).filter(
            ({ name, type }) => !this.#without.has(name) && (depth > 0 || !isCompositeType(getNamedType(type))),
          )
        : [];
    const parts = Array.from({ length: count }, () =>
      fields.length > 0 && random.chance(0.95) ? this.#field(random.pick(fields), depth) : "__typename",
    );
    if (random.chance(0.2)) parts.push(this.#fragment(type, parts.splice(0).join(" ")));
    if (!isObjectType(type) && random.chance(0.6)) {
      const possible = random.pick(schema.getPossibleTypes(type));
      parts.push(`... on ${possible.name}${this.#directives()} ${this.#selection(possible, depth, 2)}`);
    }
    return `{ ${parts.join(" ")} }`;
  }

  #field(field: GraphQLField<unknown, unknown>, depth: number): string {
    const random = this.#random;
    const args = field.args.flatMap((arg) => this.#argument(arg));
    const type = getNamedType(field.type);
    const inner = isCompositeType(type) ? ` ${this.#selection(type, depth - 1, random.integer(1, 3))}` : "";
    const alias = random.chance(0.6) ? `a${random.integer(0, 999)}: ` : "";
    return `${alias}${field.name}${args.length > 0 ? `(${args.join(", ")})` : ""}${this.#directives()}${inner}`;
  }

  #argument(arg: GraphQLArgument): string[] {
    const random = this.#random;
    const needed = isNonNullType(arg.type) && arg.defaultValue === undefined;
    if (!needed && random.chance(0.5)) return [];
    const value = this.#value(arg);
    if (random.chance(0.6)) return [`${arg.name}: ${this.#variable(String(arg.type), value)}`];
    return [`${arg.name}: ${isEnumType(getNamedType(arg.type)) && typeof value === "string" ? value : JSON.stringify(value)}`];
  }

  #value({ name, type }: GraphQLArgument): unknown {
    const random = this.#random;
    if (!isNonNullType(type) && random.chance(0.1)) return null;
    const named = getNamedType(type);
    const list = isListType(getNullableType(type));
    const pool = this.#values[name] ?? (isEnumType(named) ? named.getValues().map((each) => each.name) : this.#values[named.name]) ?? ["x"];
    const one = () => random.pick(pool);
    return list && random.chance(0.9) ? Array.from({ length: random.integer(0, 3) }, one) : one();
  }

  #fragment(type: GraphQLCompositeType, selection: string): string {
    const random = this.#random;
    if (random.chance(0.4)) return `... on ${type.name}${this.#directives()} { ${selection} }`;
    if (random.chance(0.3)) return `...${this.#directives()} { ${selection} }`;
    const name = `f${this.#fragments.length}`;
    this.#fragments.push(`fragment ${name} on ${type.name} { ${selection} }`);
    return `...${name}${this.#directives()}`;
  }

  #directives(): string {
    const random = this.#random;
    if (random.chance(0.75)) return "";
    const one = (name: string) => {
      const value = random.chance(0.5);
      return ` @${name}(if: ${random.chance(0.5) ? String(value) : this.#variable(random.pick(["Boolean!", "Boolean! = true", "Boolean = false"]), value)})`;
    };
    const directive = one(random.pick(["include", "skip"]));
    return random.chance(0.2) ? `${directive}${one(random.pick(["include", "skip"]))}` : directive;
  }

  /** Declares a variable, and mostly sets it. */
  #variable(type: string, value: unknown): string {
    const name = `v${this.#declared.length}`;
    this.#declared.push(`$${name}: ${type}`);
    if (this.#random.chance(0.95)) this.#variables[name] = value;
    return `$${name}`;
  }
}
