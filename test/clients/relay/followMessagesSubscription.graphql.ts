/**
 * @generated SignedSource<<a2064699e28b0d408bb4e2b003e985e7>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type followMessagesSubscription$variables = {
  after?: ReadonlyArray<string> | null | undefined;
};
export type followMessagesSubscription$data = {
  readonly messageAdded: {
    readonly id: string;
    readonly position: string | null | undefined;
    readonly roomId: string;
    readonly text: string;
  };
};
export type followMessagesSubscription = {
  response: followMessagesSubscription$data;
  variables: followMessagesSubscription$variables;
};

const node: ConcreteRequest = (function(){
var v0 = [
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "after"
  }
],
v1 = [
  {
    "alias": null,
    "args": [
      {
        "kind": "Variable",
        "name": "after",
        "variableName": "after"
      }
    ],
    "concreteType": "Message",
    "kind": "LinkedField",
    "name": "messageAdded",
    "plural": false,
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
    "name": "followMessagesSubscription",
    "selections": (v1/*:: as any*/),
    "type": "Subscription",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "followMessagesSubscription",
    "selections": (v1/*:: as any*/)
  },
  "params": {
    "cacheID": "a0da8b12e06a4ae2d4e48b43a1c8ce2f",
    "id": null,
    "metadata": {},
    "name": "followMessagesSubscription",
    "operationKind": "subscription",
    "text": "subscription followMessagesSubscription(\n  $after: [String!]\n) {\n  messageAdded(after: $after) {\n    id\n    roomId\n    text\n    position\n  }\n}\n"
  }
};
})();

(node as any).hash = "497f1729c6b6eae492c2596f265b3e2d";

export default node;
