import { type FormEvent, useRef, useState } from "react";
import { newClientId } from "../chat/client-id";
import type { PersonFragment as Person } from "../gql/graphql";
import { useChat } from "../hooks/useChat";
import type { Me } from "../hooks/useSession";
import { Dialog } from "./Dialog";
import { Icon } from "./Icon";
import { PeoplePicker } from "./PeoplePicker";

interface Props {
  me: Me;
  /** @param roomId the new group; undefined if none was created */
  onDone: (roomId?: string) => void;
}

/** Creates a group. */
export function NewGroup({ me, onDone }: Props) {
  const chat = useChat();
  const [members, setMembers] = useState<Person[]>([]);
  const [problem, setProblem] = useState("");
  const asked = useRef({ group: "", clientRoomId: "" }); // if only the answer was lost, a retry creates no second group

  async function make(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    try {
      const name = String(fields.get("name")).trim();
      const group = { name, memberIds: members.map(({ id }) => id), membersMayInvite: fields.has("invite") };
      if (asked.current.group !== JSON.stringify(group)) asked.current = { group: JSON.stringify(group), clientRoomId: newClientId() };
      onDone(await chat.createGroup({ ...group, clientRoomId: asked.current.clientRoomId }));
    } catch (error) {
      setProblem((error as Error).message);
    }
  }

  return (
    <Dialog title="New group" onClose={() => onDone()}>
      <form onSubmit={(event) => void make(event)}>
        <label>
          Group name
          <input name="name" required maxLength={64} autoComplete="off" />
        </label>
        {members.length > 0 && (
          <ul className="chips" aria-label="Members">
            {members.map((person) => (
              <li key={person.id}>
                <bdi>{person.name}</bdi>
                <button
                  type="button"
                  className="icon-button"
                  aria-label={`Remove ${person.name}`}
                  onClick={() => setMembers(members.filter((one) => one !== person))}
                >
                  <Icon name="close" />
                </button>
              </li>
            ))}
          </ul>
        )}
        <PeoplePicker
          label="Add people"
          without={new Set([me.id, ...members.map(({ id }) => id)])}
          onChoose={(person) => setMembers([...members, person])}
        />
        <label className="choice">
          <input type="checkbox" name="invite" /> Members can add people
        </label>
        <p className="problem" role="alert">
          {problem}
        </p>
        <button type="submit" className="primary">
          Create group
        </button>
      </form>
    </Dialog>
  );
}
