import { useMemo } from "react";
import type { Room } from "../chat/rooms";
import type { MessagePartsFragment as Message } from "../gql/graphql";

/**
 * By message, the names of the members who have read up to it. A member's own messages do not count: the name is under the last message
 * from someone else that the member has read.
 */
export function useReaders({ members }: Room, messages: readonly Message[], me: string): ReadonlyMap<string, string> {
  return useMemo(() => {
    const places = new Map(messages.map(({ id }, place) => [id, place]));
    const names = new Map<string, string>();
    for (const { user, readUpTo } of members ?? []) {
      if (user.id === me || readUpTo === null) continue;
      let place = places.get(readUpTo) ?? -1;
      while (messages[place]?.from.id === user.id) place--;
      const message = messages[place];
      if (!message) continue;
      const others = names.get(message.id);
      names.set(message.id, others === undefined ? user.name : `${others}, ${user.name}`);
    }
    return names;
  }, [members, messages, me]);
}
