import { useEffect } from "react";
import { Store } from "../chat/store";
import type { AuthorFragment } from "../gql/graphql";
import { useStore } from "./useChat";

/** The fields that distinguish a person from others. */
export type Named = AuthorFragment;

/** By skeleton, the ids of the people whose names the page has shown. */
const seen = new Store<ReadonlyMap<string, ReadonlySet<string>>>(new Map());

function note({ id, nameSkeleton }: Named): void {
  const alike = seen.get().get(nameSkeleton);
  if (!alike?.has(id)) seen.set(new Map(seen.get()).set(nameSkeleton, new Set(alike).add(id)));
}

/** Whether the page has shown another person whose name looks like this person's. */
export function useHasNamesake(person: Named): boolean {
  useEffect(() => note(person), [person]);
  return useStore(seen, (looks) => (looks.get(person.nameSkeleton)?.size ?? 0) > 1);
}
