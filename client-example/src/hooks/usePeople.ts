import { useEffect, useState } from "react";
import { insist, useApi } from "../api";
import { PeopleDocument, type PeopleQueryVariables, type UserPartsFragment as User, UserOnlineDocument } from "../gql/graphql";
import { useConnection } from "./useConnection";

/** Everyone, in order of registration, and who is online. */
export function usePeople() {
  const { client, live } = useApi();
  const { connects } = useConnection();
  const [people, setPeople] = useState<ReadonlyMap<string, User>>(new Map());
  const [pages, setPages] = useState(1); // as many as were asked for
  const [hasMore, setHasMore] = useState(false);

  // At each connect everything again: who came and went while there was none is in no subscription.
  useEffect(() => {
    if (connects === 0) return;
    let over = false;
    const changed = new Map<string, User>(); // while the pages are on their way: newer than what they say
    const stop = live.subscribe(UserOnlineDocument, {}, ({ userOnline: user }) => {
      changed.set(user.id, user);
      setPeople((known) => new Map(known).set(user.id, user));
    });
    const load = async () => {
      let after: string | null = null;
      for (let page = 0; page < pages && !over; page++) {
        const variables: PeopleQueryVariables = { after };
        const { users } = await insist(() => client.query(PeopleDocument, variables));
        if (over) return;
        setPeople((known) => new Map([...known, ...users.nodes.map((user) => [user.id, changed.get(user.id) ?? user] as const)]));
        setHasMore(users.pageInfo.hasNextPage);
        if (!users.pageInfo.hasNextPage) return;
        after = users.pageInfo.endCursor;
      }
    };
    load().catch(() => {}); // the session is over
    return () => {
      over = true;
      stop();
    };
  }, [client, live, connects, pages]);

  return { people: [...people.values()], hasMore, loadMore: () => setPages(pages + 1) };
}
