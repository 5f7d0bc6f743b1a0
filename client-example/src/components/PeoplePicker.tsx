import { useState } from "react";
import type { PersonFragment as Person } from "../gql/graphql";
import { usePeople } from "../hooks/usePeople";
import { Avatar } from "./Avatar";
import { PersonName } from "./PersonName";

interface Props {
  label: string;
  /** The ids of people who cannot be chosen, because they are already members. */
  without: ReadonlySet<string>;
  onChoose: (person: Person) => void;
}

/** Finds people by the beginning of their names. */
export function PeoplePicker({ label, without, onChoose }: Props) {
  const [search, setSearch] = useState("");
  const { people, isLoading } = usePeople(search.trim());
  const others = people.filter(({ id }) => !without.has(id)).slice(0, 8); // a longer list does not help, typing the name does
  return (
    <div className="people-picker">
      <label>
        {label}
        <input type="search" value={search} maxLength={64} placeholder="Name" onChange={(event) => setSearch(event.target.value)} />
      </label>
      <ul>
        {others.map((person) => (
          <li key={person.id}>
            <button type="button" className="row small" onClick={() => onChoose(person)}>
              <span className="unseen">Add </span>
              <Avatar name={person.name} />
              <PersonName person={person} />
            </button>
          </li>
        ))}
      </ul>
      {!isLoading && others.length === 0 && <p className="quiet">No one found</p>}
    </div>
  );
}
