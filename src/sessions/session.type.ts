import { GraphQLDateTime } from "graphql-scalars";
import { Field, ObjectType } from "type-graphql";
import { User } from "../users/user.type.js";

@ObjectType({ description: "A login: keep its token as secret as a password." })
export class Session {
  @Field(() => String, {
    description: "Send it as `Authorization: Bearer …`, or in `connectionParams.authorization` of a WebSocket.",
  })
  token!: string;

  @Field(() => GraphQLDateTime, { description: "When the token ends. Log in again before." })
  expiresAt!: Date;

  @Field(() => User, { description: "Whose session it is." })
  user!: User;
}
