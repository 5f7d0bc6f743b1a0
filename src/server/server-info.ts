import "reflect-metadata"; // before anything with a decorator
import { readFileSync } from "node:fs";
import { Ctx, Field, ObjectType, Query, Resolver } from "type-graphql";
import type { Context } from "../context.js";
import { OpenToAll } from "../open-to-all.js";

const packageJson = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };

export const version = packageJson.version;

@ObjectType({ description: "The server that answers." })
class ServerInfo {
  @Field(() => String, { description: "The product's name: palaver." })
  name!: string;

  @Field(() => String, { description: "The product's version." })
  version!: string;

  @Field(() => Boolean, {
    description:
      "Whether Redis can be used: a message could be stored and delivered now. While it is false, almost every operation fails with `UNAVAILABLE`.",
  })
  redis!: boolean;

  @Field(() => [String], {
    description:
      "Usernames of the demo accounts that anyone can log into, with the demo apps' well-known password, as found when the server started. Empty where there are none, and where `DEMO_DATA` is off, be there some or not.",
  })
  demoAccounts!: string[];
}

@Resolver()
export class ServerInfoResolver {
  @OpenToAll()
  @Query(() => ServerInfo, { description: "Version, whether Redis answers, and who can be tried out." })
  async server(@Ctx() { readiness, demoAccounts }: Context): Promise<ServerInfo> {
    return { name: "palaver", version, redis: (await readiness()).ready, demoAccounts };
  }
}
