/**
 * @generated SignedSource<<adb6d5ad4770ed5128cdddb2957b9cc8>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from "relay-runtime";
export type followRoomsQuery$variables = Record<PropertyKey, never>;
export type followRoomsQuery$data = {
  readonly rooms: ReadonlyArray<{
    readonly id: string;
  }>;
};
export type followRoomsQuery = {
  response: followRoomsQuery$data;
  variables: followRoomsQuery$variables;
};

const node: ConcreteRequest = (() => {
  var v0 = [
    {
      alias: null,
      args: null,
      concreteType: "Room",
      kind: "LinkedField",
      name: "rooms",
      plural: true,
      selections: [
        {
          alias: null,
          args: null,
          kind: "ScalarField",
          name: "id",
          storageKey: null,
        },
      ],
      storageKey: null,
    },
  ];
  return {
    fragment: {
      argumentDefinitions: [],
      kind: "Fragment",
      metadata: null,
      name: "followRoomsQuery",
      selections: v0 /*:: as any*/,
      type: "Query",
      abstractKey: null,
    },
    kind: "Request",
    operation: {
      argumentDefinitions: [],
      kind: "Operation",
      name: "followRoomsQuery",
      selections: v0 /*:: as any*/,
    },
    params: {
      cacheID: "e902dfe2c2cf83c45f4435be52ee6a54",
      id: null,
      metadata: {},
      name: "followRoomsQuery",
      operationKind: "query",
      text: "query followRoomsQuery {\n  rooms {\n    id\n  }\n}\n",
    },
  };
})();

(node as any).hash = "cbcea44d699f13dd394c3bf365561562";

export default node;
