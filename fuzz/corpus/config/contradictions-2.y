yauth: none
role_mode: token
room_create: authenticated
claim_rules: [{path: a, op: has, value: b, then: grant}]
