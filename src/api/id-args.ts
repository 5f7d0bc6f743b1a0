import { createParameterDecorator, ID } from "type-graphql";
import { readRoomId, readUserId } from "./ids.js";

interface Options {
  description: string;
  nullable?: true;
}

const idArg = (name: string, { description, nullable }: Options, read: (text: string, argument: string) => string) =>
  createParameterDecorator(({ args }) => (args[name] == null ? args[name] : read(args[name], name)), {
    arg: { name, typeFunc: () => ID, options: { description, ...(nullable && { nullable }) } },
  });

/** An argument that is a room's id. The operation gets BAD_USER_INPUT for any other text. */
export const RoomArg = (name: string, options: Options) => idArg(name, options, readRoomId);

/** An argument that is a user's id. The operation gets BAD_USER_INPUT for any other text. */
export const UserArg = (name: string, options: Options) => idArg(name, options, readUserId);
