import "reflect-metadata"; // before anything with a decorator
import { readFileSync } from "node:fs";
import { Ctx, Field, ObjectType, Query, Resolver } from "type-graphql";
import type { Context } from "../context.js";

const packageJson = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };

export const version = packageJson.version;

@ObjectType({ description: "The server that answers." })
class ServerInfo {
  @Field(() => String, { description: "The product's name: palaver." })
  name!: string;

  @Field(() => String, { description: "The product's version." })
  version!: string;

  @Field(() => Boolean, { description: "Whether Redis answers. While it does not, almost every operation fails with `UNAVAILABLE`." })
  redis!: boolean;
}

@Resolver()
export class ServerInfoResolver {
  @Query(() => ServerInfo, { description: "Version, and whether Redis answers." })
  async server(@Ctx() { redisAnswers }: Context): Promise<ServerInfo> {
    return { name: "palaver", version, redis: await redisAnswers() };
  }
}
