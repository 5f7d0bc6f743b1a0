import { useEffect } from "react";
import { Store } from "../chat/store";
import type { AuthorFragment } from "../gql/graphql";
import { useStore } from "./useChat";

/** What it takes to tell someone from others. */
export type Named = AuthorFragment;

/** By what a name looks like: the ids of those whose names the page has shown. */
const seen = new Store<ReadonlyMap<string, ReadonlySet<string>>>(new Map());

function note({ id, nameSkeleton }: Named): void {
  const alike = seen.get().get(nameSkeleton);
  if (!alike?.has(id)) seen.set(new Map(seen.get()).set(nameSkeleton, new Set(alike).add(id)));
}

/** Whether the page has shown someone else whose name looks like this person's. */
export function useHasNamesake(person: Named): boolean {
  useEffect(() => note(person), [person]);
  return useStore(seen, (looks) => (looks.get(person.nameSkeleton)?.size ?? 0) > 1);
}
