import { useEffect, useEffectEvent, useRef, useState } from "react";
import { ask, type Refused, useApi } from "../api";
import { newClientMessageId } from "../client-message-id";
import { type MessagePartsFragment as Message, SendDocument, type SendMutationVariables } from "../gql/graphql";
import { useConnection } from "./useConnection";

/** A message on its way; `failed` tells why it did not get through. */
export interface Outgoing {
  sending: SendMutationVariables;
  failed?: Refused;
}

/**
 * Messages that the user sent and that are not known to be stored. Each has a `clientMessageId`, so it can be sent again
 * when its fate is unknown: the server stores it once.
 */
export function useOutbox(me: string) {
  const { client, arrivals } = useApi();
  const { connects } = useConnection();
  const [outgoing, setOutgoing] = useState<Outgoing[]>([]);
  const queue = useRef(Promise.resolve()); // one after the other, so that they are stored in the order of writing

  const drop = (id: string | number | null) => setOutgoing((all) => all.filter(({ sending }) => sending.clientMessageId !== id));
  const mark = (id: string | number, failed?: Refused) =>
    setOutgoing((all) =>
      all.map((one) => (one.sending.clientMessageId !== id ? one : { sending: one.sending, ...(failed && { failed }) })),
    );

  function deliver(sending: SendMutationVariables): void {
    queue.current = queue.current.then(async () => {
      try {
        arrivals.emit((await ask(client.mutation(SendDocument, sending))).send);
      } catch (error) {
        mark(sending.clientMessageId, error as Refused);
      }
    });
  }

  function deliverAgain({ sending }: Outgoing): void {
    mark(sending.clientMessageId);
    deliver(sending);
  }

  const arrived = useEffectEvent(({ from, clientMessageId }: Message) => {
    if (from.id === me) drop(clientMessageId);
  });
  useEffect(() => arrivals.listen((message) => arrived(message)), [arrivals]);

  const connected = useEffectEvent(() => outgoing.filter(({ failed }) => failed?.retryable).forEach(deliverAgain));
  useEffect(() => {
    if (connects > 0) connected();
  }, [connects]);

  return {
    outgoing,
    send(roomId: string, text: string): void {
      const sending = { roomId, text, clientMessageId: newClientMessageId() };
      setOutgoing((all) => [...all, { sending }]);
      deliver(sending);
    },
    sendAgain: deliverAgain,
    discard: ({ sending }: Outgoing) => drop(sending.clientMessageId),
  };
}
