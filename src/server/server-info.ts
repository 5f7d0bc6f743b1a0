import "reflect-metadata"; // before anything with a decorator
import { readFileSync } from "node:fs";
import { Ctx, Field, ObjectType, Query, Resolver } from "type-graphql";
import type { Context } from "../context.js";
import { OpenToAll } from "../open-to-all.js";

const packageJson = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };

export const version = packageJson.version;

@ObjectType({ description: "The server that answers the request." })
class ServerInfo {
  @Field(() => String, { description: "The product's name: palaver." })
  name!: string;

  @Field(() => String, { description: "The product's version." })
  version!: string;

  @Field(() => Boolean, {
    description:
      "Whether Redis can be used, so that a message can be stored and delivered now. While false, almost every operation fails with `UNAVAILABLE`.",
  })
  redis!: boolean;

  @Field(() => [String], {
    description:
      "Usernames of the demo accounts that accept the demo apps' well-known password, as found when the server started. Empty if there are none, and always if `DEMO_DATA` is off.",
  })
  demoAccounts!: string[];
}

@Resolver()
export class ServerInfoResolver {
  @OpenToAll()
  @Query(() => ServerInfo, { description: "The server's name and version, whether Redis can be used, and the demo accounts." })
  async server(@Ctx() { readiness, demoAccounts }: Context): Promise<ServerInfo> {
    return { name: "palaver", version, redis: (await readiness()).ready, demoAccounts };
  }
}
