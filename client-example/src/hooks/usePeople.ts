import { useEffect, useState } from "react";
import { insist } from "../chat/api";
import { PeopleDocument, type PersonFragment as Person } from "../gql/graphql";
import { useChat } from "./useChat";

const SETTLED_AFTER = 200; // ms without a keystroke

/** Users with an account whose name begins with `search`, or all if it is empty. Loads one page at first, and more on request. */
export function usePeople(search: string) {
  const { client } = useChat();
  const [found, setFound] = useState<{ search: string; people: Person[]; after: string | null }>();
  const [wanted, setWanted] = useState<{ search: string; after: string | null }>({ search: "", after: null });
  const isMore = wanted.search === search;

  useEffect(() => {
    if (isMore) return;
    const timer = setTimeout(() => setWanted({ search, after: null }), SETTLED_AFTER);
    return () => clearTimeout(timer);
  }, [search, isMore]);

  useEffect(() => {
    let over = false;
    insist(() => client.query(PeopleDocument, { search: wanted.search || null, after: wanted.after })).then(
      ({ users: { nodes, pageInfo } }) => {
        if (over) return;
        const people = nodes.filter((person) => person !== null);
        setFound((known) => ({
          search: wanted.search,
          people: wanted.after !== null && known ? [...known.people, ...people] : people,
          after: pageInfo.hasNextPage ? pageInfo.endCursor : null,
        }));
      },
      () => {}, // the session ended, or the search is longer than any name
    );
    return () => {
      over = true;
    };
  }, [client, wanted]);

  return {
    people: found?.people ?? [],
    isLoading: found?.search !== search,
    loadMore: found && found.after !== null ? () => setWanted({ search, after: found.after }) : undefined,
  };
}
