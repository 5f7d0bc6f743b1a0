/**
 * @generated SignedSource<<bf79b7db7251bd195309aef223980fc4>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type followPageQuery$variables = {
  id: string;
};
export type followPageQuery$data = {
  readonly messages: {
    readonly nodes: ReadonlyArray<{
      readonly id: string;
      readonly roomId: string;
      readonly text: string;
    }>;
    readonly position: string;
  } | null | undefined;
};
export type followPageQuery = {
  response: followPageQuery$data;
  variables: followPageQuery$variables;
};

const node: ConcreteRequest = (function(){
var v0 = [
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "id"
  }
],
v1 = [
  {
    "alias": null,
    "args": [
      {
        "kind": "Literal",
        "name": "last",
        "value": 50
      },
      {
        "kind": "Variable",
        "name": "roomId",
        "variableName": "id"
      }
    ],
    "concreteType": "MessageConnection",
    "kind": "LinkedField",
    "name": "messages",
    "plural": false,
    "selections": [
      {
        "alias": null,
        "args": null,
        "concreteType": "Message",
        "kind": "LinkedField",
        "name": "nodes",
        "plural": true,
        "selections": [
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "id",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "roomId",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "text",
            "storageKey": null
          }
        ],
        "storageKey": null
      },
      {
        "alias": null,
        "args": null,
        "kind": "ScalarField",
        "name": "position",
        "storageKey": null
      }
    ],
    "storageKey": null
  }
];
return {
  "fragment": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Fragment",
    "metadata": null,
    "name": "followPageQuery",
    "selections": (v1/*:: as any*/),
    "type": "Query",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "followPageQuery",
    "selections": (v1/*:: as any*/)
  },
  "params": {
    "cacheID": "9956d2d24aae29e12ba415d0aa487616",
    "id": null,
    "metadata": {},
    "name": "followPageQuery",
    "operationKind": "query",
    "text": "query followPageQuery(\n  $id: ID!\n) {\n  messages(roomId: $id, last: 50) {\n    nodes {\n      id\n      roomId\n      text\n    }\n    position\n  }\n}\n"
  }
};
})();

(node as any).hash = "d8e4bc11d877b273f5e6cc0b81ee1ad0";

export default node;
