import "reflect-metadata"; // before anything with a decorator
import { Ctx, Field, ObjectType, Query, Resolver } from "type-graphql";
import type { Context } from "./context.js";
import { OpenToAll } from "./open-to-all.js";
import { version } from "./version.js";

@ObjectType({ description: "The server that answers the request." })
export class ServerInfo {
  @Field(() => String, { description: "The product's name: palaver." })
  name!: string;

  @Field(() => String, { description: "The product's version." })
  version!: string;

  @Field(() => Boolean, {
    description:
      "Whether Redis can be used, so that a message can be stored and delivered now. While false, almost every operation fails with `UNAVAILABLE`.",
  })
  redis!: boolean;
}

@Resolver()
export class ServerInfoResolver {
  @OpenToAll()
  @Query(() => ServerInfo, { description: "The server's name and version, whether Redis can be used, and the demo accounts." })
  async server(@Ctx() { readiness }: Context): Promise<ServerInfo> {
    return { name: "palaver", version, redis: (await readiness()).ready };
  }
}
